package classify

import (
	"bytes"
	_ "embed" // the models
	"fmt"
)

var (
	//go:embed models/abuse.model
	abuseModel []byte
	//go:embed models/ads.model
	adsModel []byte
)

// Abuse is the embedded model of abuse.
func Abuse() (*Model, error) { return embedded("abuse", abuseModel) }

// Ads is the embedded model of advertisements.
func Ads() (*Model, error) { return embedded("ads", adsModel) }

func embedded(name string, data []byte) (*Model, error) {
	m, err := Read(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("embedded model %s: %w", name, err)
	}
	return m, nil
}

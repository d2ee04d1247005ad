package broker

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// TLS is the `kafka.tls` section.
type TLS struct {
	// Enabled turns encryption on.
	Enabled bool `yaml:"enabled"`
	// CAFile holds the PEM certificates that the brokers' are checked against. Empty: the system's.
	CAFile string `yaml:"ca_file"`
	// CertFile and KeyFile are our own PEM certificate and key, where the brokers ask for one. Both or none.
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
	// ServerName is the name that the brokers' certificates must carry. Empty: the host dialled.
	ServerName string `yaml:"server_name"`
}

func (t TLS) validate() error {
	if !t.Enabled && t != (TLS{}) {
		return errors.New("tls.enabled: is false, but other tls keys are set: set it to true or remove them")
	}
	if (t.CertFile == "") != (t.KeyFile == "") {
		return fmt.Errorf("tls.cert_file and tls.key_file: set both or none (cert_file %q, key_file %q)", t.CertFile, t.KeyFile)
	}
	return nil
}

// config is nil when TLS is off.
func (t TLS) config() (*tls.Config, error) {
	if err := t.validate(); err != nil || !t.Enabled {
		return nil, err
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("tls.ca_file: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("tls.ca_file: no PEM certificate in %s", t.CAFile)
		}
	}
	if t.CertFile != "" {
		cert, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("tls.cert_file %s, tls.key_file %s: %w", t.CertFile, t.KeyFile, err)
		}
		c.Certificates = []tls.Certificate{cert}
	}
	return c, nil
}

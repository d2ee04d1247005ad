package broker

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/IBM/sarama"
	kafkasasl "github.com/segmentio/kafka-go/sasl"
	kafkaplain "github.com/segmentio/kafka-go/sasl/plain"
	kafkascram "github.com/segmentio/kafka-go/sasl/scram"
	kgosasl "github.com/twmb/franz-go/pkg/sasl"
	kgoplain "github.com/twmb/franz-go/pkg/sasl/plain"
	kgoscram "github.com/twmb/franz-go/pkg/sasl/scram"
	"github.com/xdg-go/scram"
)

// Mechanisms that SASL takes.
const (
	MechanismPlain       = "PLAIN"
	MechanismScramSHA256 = "SCRAM-SHA-256"
	MechanismScramSHA512 = "SCRAM-SHA-512"
)

// SASL is the `kafka.sasl` section.
type SASL struct {
	// Mechanism is PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512. Empty: no authentication.
	Mechanism string `yaml:"mechanism"`
	// Username to authenticate as.
	Username string `yaml:"username"`
	// Password, or the file that holds it (one trailing line end is dropped): exactly one of them.
	Password     Secret `yaml:"password"`
	PasswordFile string `yaml:"password_file"`
}

func (s SASL) validate() error {
	switch s.Mechanism {
	case "":
		if s != (SASL{}) {
			return errors.New("sasl.mechanism: is empty, but other sasl keys are set: set it or remove them")
		}
		return nil
	case MechanismPlain, MechanismScramSHA256, MechanismScramSHA512:
	default:
		return fmt.Errorf("sasl.mechanism: %q is none of %s, %s, %s",
			s.Mechanism, MechanismPlain, MechanismScramSHA256, MechanismScramSHA512)
	}
	if s.Username == "" {
		return fmt.Errorf("sasl.username: is empty, but sasl.mechanism is %s", s.Mechanism)
	}
	if (s.Password == "") == (s.PasswordFile == "") {
		return errors.New("sasl.password and sasl.password_file: set exactly one")
	}
	return nil
}

func (s SASL) password() (string, error) {
	if s.PasswordFile == "" {
		return string(s.Password), nil
	}
	b, err := os.ReadFile(s.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("sasl.password_file: %w", err)
	}
	password := strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
	if password == "" {
		return "", fmt.Errorf("sasl.password_file: %s is empty", s.PasswordFile)
	}
	return password, nil
}

// credentials are zero when there is no authentication.
func (s SASL) credentials() (mechanism, user, password string, err error) {
	if err := s.validate(); err != nil || s.Mechanism == "" {
		return "", "", "", err
	}
	password, err = s.password()
	return s.Mechanism, s.Username, password, err
}

func (s SASL) kgo() (kgosasl.Mechanism, error) {
	mechanism, user, password, err := s.credentials()
	if err != nil {
		return nil, err
	}
	switch mechanism {
	case MechanismPlain:
		return kgoplain.Auth{User: user, Pass: password}.AsMechanism(), nil
	case MechanismScramSHA256:
		return kgoscram.Auth{User: user, Pass: password}.AsSha256Mechanism(), nil
	case MechanismScramSHA512:
		return kgoscram.Auth{User: user, Pass: password}.AsSha512Mechanism(), nil
	}
	return nil, nil
}

func (s SASL) kafkaGo() (kafkasasl.Mechanism, error) {
	mechanism, user, password, err := s.credentials()
	if err != nil {
		return nil, err
	}
	switch mechanism {
	case MechanismPlain:
		return kafkaplain.Mechanism{Username: user, Password: password}, nil
	case MechanismScramSHA256:
		return kafkascram.Mechanism(kafkascram.SHA256, user, password)
	case MechanismScramSHA512:
		return kafkascram.Mechanism(kafkascram.SHA512, user, password)
	}
	return nil, nil
}

func (s SASL) sarama(c *sarama.Config) error {
	mechanism, user, password, err := s.credentials()
	if err != nil || mechanism == "" {
		return err
	}
	c.Net.SASL.Enable = true
	c.Net.SASL.Handshake = true
	c.Net.SASL.User, c.Net.SASL.Password = user, password
	c.Net.SASL.Mechanism = sarama.SASLMechanism(mechanism)
	switch mechanism {
	case MechanismScramSHA256:
		c.Net.SASL.SCRAMClientGeneratorFunc = func() sarama.SCRAMClient { return &saramaScram{hash: scram.SHA256} }
	case MechanismScramSHA512:
		c.Net.SASL.SCRAMClientGeneratorFunc = func() sarama.SCRAMClient { return &saramaScram{hash: scram.SHA512} }
	}
	return nil
}

// saramaScram is one SCRAM conversation, as sarama wants it.
type saramaScram struct {
	hash scram.HashGeneratorFcn
	talk *scram.ClientConversation
}

func (s *saramaScram) Begin(user, password, authzID string) error {
	client, err := s.hash.NewClient(user, password, authzID)
	if err != nil {
		return fmt.Errorf("begin SCRAM: %w", err)
	}
	s.talk = client.NewConversation()
	return nil
}

func (s *saramaScram) Step(challenge string) (string, error) { return s.talk.Step(challenge) }
func (s *saramaScram) Done() bool                            { return s.talk.Done() }

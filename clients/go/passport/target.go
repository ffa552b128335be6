package passport

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
)

// Target is a server: its address, and what it takes to trust it and to be trusted by it.
type Target struct {
	// Server is host:port, such as passport.example.com:443.
	Server string
	// Token gives the credential of each call; nil sends none.
	Token TokenSource
	// CACertificates are the authorities to trust, in PEM; empty means those of the system.
	CACertificates []byte
	// Certificate is what this client shows of itself, with its chain and key. It may change while the client lives.
	Certificate func() (*tls.Certificate, error)
	// Plaintext leaves out TLS: for a server on this machine.
	Plaintext bool
	// InsecurePlaintext allows Plaintext to other machines, which shows the token to whoever listens.
	InsecurePlaintext bool
}

var host = regexp.MustCompile(`^[0-9A-Za-z]([0-9A-Za-z._-]{0,251}[0-9A-Za-z])?$`)

func (t Target) check() error {
	name, port, err := net.SplitHostPort(t.Server)
	number, notNumber := strconv.Atoi(port)
	if err != nil || notNumber != nil || number < 1 || number > 65535 || (net.ParseIP(name) == nil && !host.MatchString(name)) {
		return fmt.Errorf("%.80q is not an address; write it as host:port, such as passport.example.com:443", t.Server)
	}
	if t.Plaintext && t.Certificate != nil {
		return errors.New("a client certificate needs TLS; leave out Plaintext, or the certificate")
	}
	if t.Plaintext && !t.InsecurePlaintext && !isLoopback(name) {
		return fmt.Errorf("plaintext to %s would show the token to the network; use TLS, "+
			"or InsecurePlaintext if you know that nobody listens", name)
	}
	return nil
}

func isLoopback(name string) bool {
	ip := net.ParseIP(name)
	return name == "localhost" || (ip != nil && ip.IsLoopback())
}

func (t Target) tlsConfig() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if len(t.CACertificates) > 0 {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(t.CACertificates) {
			return nil, errors.New("CACertificates hold no certificate in PEM")
		}
	}
	if t.Certificate != nil {
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return t.Certificate()
		}
	}
	return config, nil
}

package passport

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"testing"
	"time"

	passportv1 "release-passport.dev/gen/release_passport/v1"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// selfSigned returns a certificate for this machine that is its own authority.
func selfSigned(t *testing.T) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func TestAClientCertificateIsShownAndTheServersIsChecked(t *testing.T) {
	servers, serversPEM := selfSigned(t)
	own, ownPEM := selfSigned(t)
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(ownPEM)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.Creds(credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{servers}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: trusted,
	})))
	passportv1.RegisterDecisionServiceServer(server, &decider{})
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	show := func() (*tls.Certificate, error) { return &own, nil }
	for name, test := range map[string]struct {
		target  Target
		reaches bool
	}{
		"both":                {Target{CACertificates: serversPEM, Certificate: show}, true},
		"no certificate":      {Target{CACertificates: serversPEM}, false},
		"another server":      {Target{CACertificates: ownPEM, Certificate: show}, false},
		"the system's alone":  {Target{Certificate: show}, false},
		"both, and the token": {Target{CACertificates: serversPEM, Certificate: show, Token: StaticToken("t")}, true},
	} {
		t.Run(name, func(t *testing.T) {
			test.target.Server = listener.Addr().String()
			client, err := Dial(test.target)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			answer, err := client.Gate(t.Context(), Question{Release: "r"})
			if (err == nil) != test.reaches || answer.Proceed {
				t.Error(err)
			}
		})
	}
}

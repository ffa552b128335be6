package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	statement "github.com/in-toto/attestation/go/v1"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	"google.golang.org/protobuf/encoding/protojson"
)

const inToto = "application/vnd.in-toto+json"

// verifier is a public key under the id that verifiers of DSSE envelopes compute themselves.
type verifier struct {
	key crypto.PublicKey
	id  string
}

func (v *verifier) KeyID() (string, error)   { return v.id, nil }
func (v *verifier) Public() crypto.PublicKey { return v.key }

func (v *verifier) Verify(_ context.Context, data, signature []byte) error {
	switch key := v.key.(type) {
	case *ecdsa.PublicKey:
		digest := sha256.Sum256(data)
		if ecdsa.VerifyASN1(key, digest[:], signature) {
			return nil
		}
	case ed25519.PublicKey:
		if ed25519.Verify(key, data, signature) {
			return nil
		}
	}
	return errors.New("the signature does not fit")
}

func loadVerifier(path string) (*verifier, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(content)
	if block == nil {
		return nil, fmt.Errorf("%s is not PEM", path)
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	id, err := dsse.SHA256KeyID(key)
	if err != nil {
		return nil, err
	}
	return &verifier{key, id}, nil
}

// openStatement returns the in-toto statement of an envelope, read as strictly as the specification's own code does.
func openStatement(keyPath, envelopePath string) (*statement.Statement, error) {
	key, err := loadVerifier(keyPath)
	if err != nil {
		return nil, err
	}
	content, err := os.ReadFile(envelopePath)
	if err != nil {
		return nil, err
	}
	var envelope dsse.Envelope
	if err := json.Unmarshal(content, &envelope); err != nil {
		return nil, err
	}
	if envelope.PayloadType != inToto {
		return nil, fmt.Errorf("the payload is %q", envelope.PayloadType)
	}
	opener, err := dsse.NewEnvelopeVerifier(key)
	if err != nil {
		return nil, err
	}
	if _, err := opener.Verify(context.Background(), &envelope); err != nil {
		return nil, err
	}
	payload, err := envelope.DecodeB64Payload()
	if err != nil {
		return nil, err
	}
	found := &statement.Statement{}
	if err := protojson.Unmarshal(payload, found); err != nil {
		return nil, err
	}
	return found, found.Validate()
}

func verifyEnvelope(args []string) error {
	if err := expect(args, "public key", "envelope", "predicate type", "digest"); err != nil {
		return err
	}
	found, err := openStatement(args[0], args[1])
	if err != nil {
		return err
	}
	if found.PredicateType != args[2] {
		return fmt.Errorf("the predicate is %q", found.PredicateType)
	}
	return hasSubject(found, args[3])
}

func hasSubject(found *statement.Statement, digest string) error {
	for _, subject := range found.Subject {
		if "sha256:"+subject.Digest["sha256"] == digest {
			return nil
		}
	}
	return fmt.Errorf("%s is none of the subjects", digest)
}

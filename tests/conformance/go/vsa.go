package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	vsa "github.com/in-toto/attestation/go/predicates/vsa/v1"
	"google.golang.org/protobuf/encoding/protojson"
)

var slsaLevel = regexp.MustCompile(`^SLSA_[A-Z]+_LEVEL_[0-9]+$`)

// verifyVSA asks what `slsa-verifier verify-vsa` asks: signature, subject, verifier, resource, result and level.
func verifyVSA(args []string) error {
	if err := expect(args, "public key", "envelope", "digest", "verifier id", "resource URI", "level"); err != nil {
		return err
	}
	found, err := openStatement(args[0], args[1])
	if err != nil {
		return err
	}
	if found.PredicateType != "https://slsa.dev/verification_summary/v1" {
		return fmt.Errorf("the predicate is %q", found.PredicateType)
	}
	if err := hasSubject(found, args[2]); err != nil {
		return err
	}
	content, err := protojson.Marshal(found.Predicate)
	if err != nil {
		return err
	}
	summary := &vsa.VerificationSummary{}
	// Fields of others, named by URIs, are part of the format.
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(content, summary); err != nil {
		return err
	}
	switch {
	case summary.GetVerifier().GetId() == "" || summary.GetVerifier().GetId() != args[3]:
		return fmt.Errorf("the verifier is %q", summary.GetVerifier().GetId())
	case summary.GetResourceUri() == "" || summary.GetResourceUri() != args[4]:
		return fmt.Errorf("the resource is %q", summary.GetResourceUri())
	case summary.GetVerificationResult() != "PASSED":
		return fmt.Errorf("the result is %q", summary.GetVerificationResult())
	case summary.GetPolicy().GetUri() == "":
		return errors.New("no policy is named")
	case !slices.Contains(summary.GetVerifiedLevels(), args[5]):
		return fmt.Errorf("the levels are %q", summary.GetVerifiedLevels())
	}
	for _, level := range summary.GetVerifiedLevels() {
		if len(level) > 5 && level[:5] == "SLSA_" && !slsaLevel.MatchString(level) {
			return fmt.Errorf("%q is no level of SLSA", level)
		}
	}
	return nil
}

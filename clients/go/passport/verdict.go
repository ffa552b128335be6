package passport

import passportv1 "release-passport.dev/gen/release_passport/v1"

// Verdict is the outcome of a decision.
type Verdict = passportv1.Verdict

// The verdicts, by their names in this package.
const (
	Allow               = passportv1.Verdict_VERDICT_ALLOW
	AllowWithCanary     = passportv1.Verdict_VERDICT_ALLOW_WITH_CANARY
	RequireApproval     = passportv1.Verdict_VERDICT_REQUIRE_APPROVAL
	Hold                = passportv1.Verdict_VERDICT_HOLD
	Block               = passportv1.Verdict_VERDICT_BLOCK
	RollbackRecommended = passportv1.Verdict_VERDICT_ROLLBACK_RECOMMENDED
)

// Known says whether this client knows what a verdict means.
func Known(verdict Verdict) bool {
	return verdict >= Allow && verdict <= RollbackRecommended
}

// Allowing says whether a verdict lets a release proceed, if only in steps.
func Allowing(verdict Verdict) bool {
	return verdict == Allow || verdict == AllowWithCanary
}

package passport

import (
	"context"
	"errors"
	"time"

	passportv1 "release-passport.dev/gen/release_passport/v1"
)

// Question is what a gate is asked. Give Release or Identity.
type Question struct {
	// Tenant is the tenant's id; empty means the credential's.
	Tenant string
	// Release is the resource name of the release.
	Release string
	// Identity names a release that is created where it is unknown.
	Identity *passportv1.ReleaseIdentity
	// Target is what would be rolled out; with it the answer holds a permit.
	Target string
	// AcceptCanary says that the caller keeps the limits of a canary: ALLOW_WITH_CANARY is a yes.
	AcceptCanary bool
	// AcceptDev lets the decision of a server in development mode count. For trying things out.
	AcceptDev bool
}

// The reasons of the gate itself, beside those of findings and of errors.
const (
	ReasonUnreachable       = "UNREACHABLE"
	ReasonRefused           = "REFUSED"
	ReasonNotRecorded       = "NOT_RECORDED"
	ReasonVerdictUnknown    = "VERDICT_UNKNOWN"
	ReasonDevelopmentServer = "DEVELOPMENT_SERVER"
	ReasonNoLongerValid     = "NO_LONGER_VALID"
	ReasonNotNewest         = "NOT_NEWEST"
)

// Reason is one thing that keeps a release, and who can do what about it.
type Reason struct {
	// Code is stable, such as EVIDENCE_MISSING.
	Code       string
	Message    string
	NextAction string
	WhoCanAct  []string
	Policy     string
	Rule       string
}

// Answer is what a gate says.
type Answer struct {
	// Verdict is what to act on; HOLD for whatever cannot be relied on.
	Verdict Verdict
	// Proceed says whether the release may go on.
	Proceed bool
	// Reasons say why not, strictest first; empty where the release may proceed.
	Reasons []Reason
	// Decision is the decision as the server gave it; nil without an answer.
	Decision *passportv1.Decision
	// Permit is for the target that was asked for; empty without one.
	Permit []byte
}

// Gate decides a release, records the decision and returns what it is worth now. It fails closed: the answer is never
// nil, and together with an error (an *Error) it is HOLD.
func (c *Client) Gate(ctx context.Context, question Question) (*Answer, error) {
	decisions := passportv1.NewDecisionServiceClient(c)
	response, err := decisions.Evaluate(ctx, &passportv1.EvaluateRequest{
		Tenant:   question.Tenant,
		Release:  question.Release,
		Identity: question.Identity,
		Target:   question.Target,
	})
	if err != nil {
		return held(nil, failed(err)), err
	}
	name, newest := response.GetDecision().GetName(), !response.GetReplayed()
	if response.GetReplayed() && name != "" {
		// A repeated request is answered with what was decided then.
		found, err := decisions.GetDecision(ctx, &passportv1.GetDecisionRequest{Name: name})
		if err != nil {
			return held(response.GetDecision(), failed(err)), err
		}
		newest = found.GetNewest()
	}
	return worth(response, question, newest, time.Now()), nil
}

func failed(err error) Reason {
	var known *Error
	if !errors.As(err, &known) {
		return Reason{Code: ReasonRefused, Message: err.Error()}
	}
	code := known.Reason
	switch {
	case code != "":
	case known.IsUnreachable():
		code = ReasonUnreachable
	default:
		code = ReasonRefused
	}
	return Reason{Code: code, Message: known.Message}
}

func held(decision *passportv1.Decision, reason Reason) *Answer {
	return &Answer{Verdict: Hold, Reasons: []Reason{reason}, Decision: decision}
}

// worth returns what a decision is worth at a moment.
func worth(response *passportv1.EvaluateResponse, question Question, newest bool, now time.Time) *Answer {
	decision := response.GetDecision()
	verdict := decision.GetEffectiveVerdict()
	if decision == nil {
		return held(nil, Reason{Code: ReasonNotRecorded, Message: "the answer holds no decision"})
	}
	if !Known(verdict) {
		return held(decision, Reason{Code: ReasonVerdictUnknown, Message: "the server gave a verdict that this client does not know"})
	}
	if refusal := unreliable(decision, question, newest, now); Allowing(verdict) && refusal != nil {
		return held(decision, *refusal)
	}
	answer := &Answer{Verdict: verdict, Decision: decision, Permit: response.GetPermit()}
	answer.Proceed = verdict == Allow || (verdict == AllowWithCanary && question.AcceptCanary)
	if !answer.Proceed {
		answer.Permit, answer.Reasons = nil, findings(decision)
	}
	return answer
}

// unreliable returns why an allowing decision allows nothing; nil where it does.
func unreliable(decision *passportv1.Decision, question Question, newest bool, now time.Time) *Reason {
	switch {
	case decision.GetName() == "":
		return &Reason{Code: ReasonNotRecorded, Message: "the answer names no recorded decision"}
	case decision.GetDev() && !question.AcceptDev:
		return &Reason{Code: ReasonDevelopmentServer, Message: "made by a server in development mode, which gates nothing"}
	case !newest:
		return &Reason{Code: ReasonNotNewest, Message: "a newer decision of this release exists; ask again"}
	case decision.GetValidUntil() == nil || !decision.GetValidUntil().AsTime().After(now):
		return &Reason{Code: ReasonNoLongerValid, Message: "the decision is no longer valid; ask again"}
	}
	return nil
}

func findings(decision *passportv1.Decision) []Reason {
	var reasons []Reason
	for _, finding := range decision.GetFindings() {
		if finding.GetVerdict() == Allow {
			continue
		}
		reasons = append(reasons, Reason{
			Code:       finding.GetReason(),
			Message:    finding.GetMessage(),
			NextAction: finding.GetNextAction(),
			WhoCanAct:  finding.GetWhoCanAct(),
			Policy:     finding.GetPolicy(),
			Rule:       finding.GetRule(),
		})
	}
	return reasons
}

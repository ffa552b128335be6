package passport

import (
	"testing"
	"time"

	passportv1 "release-passport.dev/gen/release_passport/v1"

	"google.golang.org/protobuf/types/known/timestamppb"
)

func TestWhatADecisionIsWorth(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	allow := func(change func(*passportv1.Decision)) *passportv1.Decision {
		decision := &passportv1.Decision{Name: "d", EffectiveVerdict: Allow, ValidUntil: timestamppb.New(now.Add(time.Minute))}
		change(decision)
		return decision
	}
	cases := map[string]struct {
		decision *passportv1.Decision
		question Question
		verdict  Verdict
		proceed  bool
		code     string
	}{
		"allowed":           {allow(func(*passportv1.Decision) {}), Question{}, Allow, true, ""},
		"no decision":       {nil, Question{}, Hold, false, ReasonNotRecorded},
		"no name":           {allow(func(d *passportv1.Decision) { d.Name = "" }), Question{}, Hold, false, ReasonNotRecorded},
		"no verdict":        {allow(func(d *passportv1.Decision) { d.EffectiveVerdict = 0 }), Question{}, Hold, false, ReasonVerdictUnknown},
		"later verdict":     {allow(func(d *passportv1.Decision) { d.EffectiveVerdict = 99 }), Question{}, Hold, false, ReasonVerdictUnknown},
		"development":       {allow(func(d *passportv1.Decision) { d.Dev = true }), Question{}, Hold, false, ReasonDevelopmentServer},
		"development taken": {allow(func(d *passportv1.Decision) { d.Dev = true }), Question{AcceptDev: true}, Allow, true, ""},
		"ended":             {allow(func(d *passportv1.Decision) { d.ValidUntil = timestamppb.New(now) }), Question{}, Hold, false, ReasonNoLongerValid},
		"without an end":    {allow(func(d *passportv1.Decision) { d.ValidUntil = nil }), Question{}, Hold, false, ReasonNoLongerValid},
		"canary":            {allow(func(d *passportv1.Decision) { d.EffectiveVerdict = AllowWithCanary }), Question{}, AllowWithCanary, false, ""},
		"canary taken":      {allow(func(d *passportv1.Decision) { d.EffectiveVerdict = AllowWithCanary }), Question{AcceptCanary: true}, AllowWithCanary, true, ""},
		"blocked": {&passportv1.Decision{Name: "d", EffectiveVerdict: Block, Findings: []*passportv1.Finding{
			{Verdict: Allow, Reason: "FINE"}, {Verdict: Block, Reason: "TOO_MANY_ERRORS"},
		}}, Question{}, Block, false, "TOO_MANY_ERRORS"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			answer := worth(&passportv1.EvaluateResponse{Decision: test.decision, Permit: []byte("p")}, test.question, true, now)
			code := ""
			if len(answer.Reasons) > 0 {
				code = answer.Reasons[0].Code
			}
			if answer.Verdict != test.verdict || answer.Proceed != test.proceed || code != test.code {
				t.Errorf("%v %v %q", answer.Verdict, answer.Proceed, code)
			}
			if (len(answer.Permit) > 0) != test.proceed {
				t.Error("a permit goes with a yes alone")
			}
		})
	}
}

func TestADecisionThatIsNotTheNewestHolds(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	decision := &passportv1.Decision{Name: "d", EffectiveVerdict: Allow, ValidUntil: timestamppb.New(now.Add(time.Minute))}
	answer := worth(&passportv1.EvaluateResponse{Decision: decision}, Question{}, false, now)
	if answer.Verdict != Hold || answer.Proceed || answer.Reasons[0].Code != ReasonNotNewest {
		t.Errorf("%+v", answer)
	}
}

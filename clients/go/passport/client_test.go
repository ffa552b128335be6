package passport

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	passportv1 "release-passport.dev/gen/release_passport/v1"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

type decider struct {
	passportv1.UnimplementedDecisionServiceServer
	fails []error
	asked []*passportv1.EvaluateRequest
	heads []metadata.MD
}

func (d *decider) Evaluate(ctx context.Context, request *passportv1.EvaluateRequest) (*passportv1.EvaluateResponse, error) {
	head, _ := metadata.FromIncomingContext(ctx)
	d.asked, d.heads = append(d.asked, request), append(d.heads, head)
	if len(d.fails) > 0 {
		next := d.fails[0]
		d.fails = d.fails[1:]
		return nil, next
	}
	return &passportv1.EvaluateResponse{}, nil
}

func serve(t *testing.T, decider *decider) *Client {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	passportv1.RegisterDecisionServiceServer(server, decider)
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	return dial(t, listener.Addr().String())
}

func dial(t *testing.T, address string) *Client {
	t.Helper()
	client, err := Dial(Target{Server: address, Token: StaticToken("rp1_x"), Plaintext: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

func TestARetriedCallIsOneChange(t *testing.T) {
	server := &decider{fails: []error{status.Error(codes.Unavailable, "soon")}}
	if _, err := serve(t, server).Gate(t.Context(), Question{Release: "r"}); err != nil {
		t.Fatal(err)
	}
	if len(server.asked) != 2 || server.asked[0].RequestId == "" || server.asked[0].RequestId != server.asked[1].RequestId {
		t.Error(server.asked)
	}
	if got := server.heads[1].Get("authorization"); len(got) != 1 || got[0] != "Bearer rp1_x" {
		t.Error(got)
	}
}

func TestARequestIDOfTheCallerStays(t *testing.T) {
	server := &decider{}
	request := &passportv1.EvaluateRequest{RequestId: "mine"}
	if _, err := passportv1.NewDecisionServiceClient(serve(t, server)).Evaluate(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	if server.asked[0].RequestId != "mine" {
		t.Error(server.asked[0].RequestId)
	}
}

func TestARefusalIsTyped(t *testing.T) {
	said, err := status.New(codes.InvalidArgument, "wrong").WithDetails(
		&errdetails.ErrorInfo{Reason: "INVALID_FIELDS", Metadata: map[string]string{"a": "b"}},
		&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: "release", Description: "give one"}}},
		&errdetails.RetryInfo{RetryDelay: durationpb.New(time.Second)},
	)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := serve(t, &decider{fails: []error{said.Err()}}).Gate(t.Context(), Question{})
	var known *Error
	if !errors.As(err, &known) {
		t.Fatal(err)
	}
	if ReasonOf(err) != passportv1.ErrorReason_ERROR_REASON_INVALID_FIELDS || known.Metadata["a"] != "b" || known.RetryAfter != time.Second {
		t.Errorf("%+v", known)
	}
	if len(known.Violations) != 1 || known.Violations[0] != (Violation{"release", "give one"}) || status.Code(err) != codes.InvalidArgument {
		t.Errorf("%+v", known)
	}
	if answer.Verdict != Hold || answer.Proceed || answer.Reasons[0].Code != "INVALID_FIELDS" {
		t.Errorf("%+v", answer)
	}
}

func TestAReasonOfALaterServerIsUnspecified(t *testing.T) {
	if known := (&Error{Reason: "OF_LATER"}).Known(); known != passportv1.ErrorReason_ERROR_REASON_UNSPECIFIED {
		t.Error(known)
	}
}

func TestAServerThatIsAwayHolds(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	answer, err := dial(t, listener.Addr().String()).Gate(t.Context(), Question{Release: "r"})
	var known *Error
	if !errors.As(err, &known) || !known.IsUnreachable() {
		t.Error(err)
	}
	if answer.Verdict != Hold || answer.Proceed || answer.Reasons[0].Code != ReasonUnreachable {
		t.Errorf("%+v", answer)
	}
}

func TestCancelledByTheServerIsUnavailableAndByTheCallerIsNot(t *testing.T) {
	shed := status.Error(codes.Canceled, "shed")
	// As often as it is asked anew.
	_, err := serve(t, &decider{fails: []error{shed, shed, shed, shed}}).Gate(t.Context(), Question{Release: "r"})
	if status.Code(err) != codes.Unavailable {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = serve(t, &decider{}).Gate(ctx, Question{Release: "r"})
	if !errors.Is(err, context.Canceled) || status.Code(err) != codes.Canceled {
		t.Error(err)
	}
}

func TestTheDeadlineIsTheCallers(t *testing.T) {
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	answer, err := serve(t, &decider{}).Gate(ctx, Question{Release: "r"})
	if status.Code(err) != codes.DeadlineExceeded || answer.Verdict != Hold {
		t.Error(err, answer)
	}
}

func TestTargetsThatAreRefused(t *testing.T) {
	for name, target := range map[string]Target{
		"no port":             {Server: "passport"},
		"port 0":              {Server: "passport:0"},
		"a scheme":            {Server: "https://passport:443"},
		"a path":              {Server: "passport/x:443"},
		"plaintext elsewhere": {Server: "passport.example.com:80", Plaintext: true},
		"no certificate":      {Server: "passport:443", CACertificates: []byte("x")},
	} {
		if client, err := Dial(target); err == nil {
			client.Close()
			t.Errorf("%s is taken", name)
		}
	}
	for _, server := range []string{"passport.example.com:443", "[::1]:443", "10.0.0.1:8443"} {
		client, err := Dial(Target{Server: server})
		if err != nil {
			t.Errorf("%s: %v", server, err)
			continue
		}
		client.Close()
	}
}

func TestATokenIsNeverSentWithoutTLSUnlessAskedFor(t *testing.T) {
	if !(perCall{StaticToken("t"), true}).RequireTransportSecurity() {
		t.Error("the token would go out in the clear")
	}
}

func TestATokenThatCannotBeSentIsNotSent(t *testing.T) {
	for _, token := range []string{"", "a b", "a\nb", strings.Repeat("a", longestToken+1)} {
		_, err := perCall{StaticToken(token), true}.GetRequestMetadata(t.Context())
		if status.Code(err) != codes.Unauthenticated {
			t.Errorf("%.10q: %v", token, err)
		}
	}
}

func TestATokenOfAFileIsReadAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	for _, token := range []string{"first", "second"} {
		if err := os.WriteFile(path, []byte(token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := FileToken(path).Token(t.Context()); got != token || err != nil {
			t.Error(got, err)
		}
	}
	if _, err := (perCall{FileToken(path + ".none"), true}).GetRequestMetadata(t.Context()); status.Code(err) != codes.Unavailable {
		t.Error(err)
	}
}

// provider answers without a network, so that time can be the test's.
type provider struct {
	asked int
	code  int
}

func (p *provider) RoundTrip(request *http.Request) (*http.Response, error) {
	p.asked++
	recorder := httptest.NewRecorder()
	id, secret, _ := request.BasicAuth()
	if request.FormValue("grant_type") != "client_credentials" || request.FormValue("audience") != "passport" || id != "me" || secret != "s" {
		return nil, errors.New("another request")
	}
	recorder.WriteHeader(p.code)
	said := map[string]any{"access_token": fmt.Sprint("token", p.asked), "expires_in": 100, "error": "invalid_client"}
	if err := json.NewEncoder(recorder).Encode(said); err != nil {
		return nil, err
	}
	return recorder.Result(), nil
}

func TestAnOIDCTokenIsRenewedBeforeItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		provider := &provider{code: http.StatusOK}
		source := &OIDCClient{
			TokenURL: "https://id.example.com/token", ClientID: "me", ClientSecret: "s", Audience: "passport",
			HTTPClient: &http.Client{Transport: provider},
		}
		expect := func(want string) {
			t.Helper()
			if got, err := source.Token(t.Context()); got != want || err != nil {
				t.Error(got, err)
			}
		}
		expect("token1")
		time.Sleep(79 * time.Second)
		expect("token1")
		time.Sleep(time.Second)
		expect("token2")
		provider.code = http.StatusServiceUnavailable
		time.Sleep(90 * time.Second)
		expect("token2")
		time.Sleep(10 * time.Second)
		_, err := perCall{source, true}.GetRequestMetadata(t.Context())
		if status.Code(err) != codes.Unavailable {
			t.Error(err)
		}
		provider.code = http.StatusUnauthorized
		if _, err := source.Token(t.Context()); status.Code(err) != codes.Unauthenticated {
			t.Error(err)
		}
	})
}

package passport

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	passportv1 "release-passport.dev/gen/release_passport/v1"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"
)

// script is what a server says: one entry a stream.
type script struct {
	passportv1.DecisionServiceClient
	streams []spoken
	tokens  []string
	times   []time.Time
}

type spoken struct {
	says []*passportv1.WatchDecisionResponse
	ends error
}

var errOpen = errors.New("the stream stays open")

func (s *script) WatchDecision(
	ctx context.Context, request *passportv1.WatchDecisionRequest, _ ...grpc.CallOption,
) (grpc.ServerStreamingClient[passportv1.WatchDecisionResponse], error) {
	s.tokens, s.times = append(s.tokens, request.GetResumeToken()), append(s.times, time.Now())
	next := spoken{ends: errOpen}
	if len(s.tokens) <= len(s.streams) {
		next = s.streams[len(s.tokens)-1]
	}
	return &scripted{ctx: ctx, left: next}, nil
}

type scripted struct {
	grpc.ClientStream
	ctx  context.Context
	left spoken
}

func (s *scripted) Recv() (*passportv1.WatchDecisionResponse, error) {
	if len(s.left.says) > 0 {
		next := s.left.says[0]
		s.left.says = s.left.says[1:]
		return next, nil
	}
	if s.left.ends == errOpen {
		<-s.ctx.Done()
		return nil, s.ctx.Err()
	}
	return nil, s.left.ends
}

func changed(revision int64, token, release string, verdict Verdict) *passportv1.WatchDecisionResponse {
	return &passportv1.WatchDecisionResponse{
		Revision: revision, ResumeToken: token,
		Event: &passportv1.WatchDecisionResponse_Decision{Decision: &passportv1.DecisionEvent{
			Kind:     passportv1.DecisionEventKind_DECISION_EVENT_KIND_CHANGED,
			Decision: &passportv1.Decision{Release: release, EffectiveVerdict: verdict},
		}},
	}
}

func watching(said *script, options WatchOptions) *Watcher {
	options.Logger = slog.New(slog.DiscardHandler)
	watcher := newWatcher(said, &passportv1.WatchDecisionRequest{}, options)
	watcher.chance = func() float64 { return 1 }
	return watcher
}

func take(t *testing.T, watcher *Watcher, count int) []News {
	t.Helper()
	var news []News
	for update, err := range watcher.Updates(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if news = append(news, update.News); len(news) == count {
			break
		}
	}
	return news
}

var away = &Error{Code: codes.Unavailable, Message: "away"}

func TestPausesDoubleAndAreNeverShorterThanTheServerAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		busy := &Error{Code: codes.ResourceExhausted, RetryAfter: time.Minute}
		said := &script{streams: []spoken{
			{ends: away}, {ends: away}, {ends: busy},
			{says: []*passportv1.WatchDecisionResponse{changed(1, "a", "r", Allow)}, ends: errOpen},
		}}
		take(t, watching(said, WatchOptions{}), 1)
		var pauses []time.Duration
		for n := 1; n < len(said.times); n++ {
			pauses = append(pauses, said.times[n].Sub(said.times[n-1]))
		}
		if want := []time.Duration{time.Second, 2 * time.Second, time.Minute}; !slices.Equal(pauses, want) {
			t.Errorf("pauses %v, not %v", pauses, want)
		}
	})
}

func TestAPauseIsRandom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		said := &script{streams: []spoken{
			{ends: away}, {says: []*passportv1.WatchDecisionResponse{changed(1, "a", "r", Allow)}, ends: errOpen},
		}}
		watcher := watching(said, WatchOptions{})
		watcher.chance = func() float64 { return 0.25 }
		take(t, watcher, 1)
		if pause := said.times[1].Sub(said.times[0]); pause != time.Second/4 {
			t.Error(pause)
		}
	})
}

func TestAHealthyStreamLetsThePausesBeginAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		heartbeat := &passportv1.WatchDecisionResponse{HeartbeatInterval: durationpb.New(11 * time.Second)}
		said := &script{streams: []spoken{
			{ends: away}, {ends: away}, {says: []*passportv1.WatchDecisionResponse{heartbeat}, ends: errOpen}, {ends: away},
			{says: []*passportv1.WatchDecisionResponse{changed(1, "a", "r", Allow)}, ends: errOpen},
		}}
		if news := take(t, watching(said, WatchOptions{}), 2); !slices.Equal(news, []News{Stale, Changed}) {
			t.Error(news)
		}
		if first, second := said.times[3].Sub(said.times[2]), said.times[4].Sub(said.times[3]); first != 34*time.Second || second != 2*time.Second {
			t.Error(first, second)
		}
	})
}

func TestStalenessIsToldDuringALongPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		heard := changed(1, "a", "r", Allow)
		heard.HeartbeatInterval = durationpb.New(5 * time.Second)
		busy := &Error{Code: codes.Unavailable, RetryAfter: time.Hour}
		said := &script{streams: []spoken{{says: []*passportv1.WatchDecisionResponse{heard}, ends: busy}}}
		watcher, began := watching(said, WatchOptions{}), time.Now()
		for update := range watcher.Updates(t.Context()) {
			if update.News == Changed && watcher.EffectiveVerdict("r") != Allow {
				t.Error("what was just heard does not count")
			}
			if update.News == Stale {
				break
			}
		}
		if passed := time.Since(began); passed != 15*time.Second {
			t.Error(passed)
		}
		if watcher.EffectiveVerdict("r") != Hold {
			t.Error("what allowed still counts")
		}
	})
}

func TestTheTokenOfAnUpdateIsKeptOnceItIsHandled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := ResumeFile(filepath.Join(t.TempDir(), "token"))
		said := &script{streams: []spoken{{says: []*passportv1.WatchDecisionResponse{
			changed(1, "first", "r", Allow), changed(2, "second", "r", Block),
		}, ends: errOpen}}}
		take(t, watching(said, WatchOptions{Resume: store}), 2)
		if token, err := store.Load(); token != "first" || err != nil {
			t.Error(token, err)
		}
		next := &script{streams: []spoken{{says: []*passportv1.WatchDecisionResponse{changed(2, "second", "r", Block)}, ends: errOpen}}}
		take(t, watching(next, WatchOptions{Resume: store}), 1)
		if !slices.Equal(next.tokens, []string{"first"}) {
			t.Error(next.tokens)
		}
	})
}

func TestAWatcherThatIsLeftAllowsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		said := &script{streams: []spoken{{says: []*passportv1.WatchDecisionResponse{changed(1, "a", "r", Allow)}, ends: io.EOF}}}
		watcher := watching(said, WatchOptions{})
		take(t, watcher, 1)
		if watcher.EffectiveVerdict("r") != Hold || !watcher.IsStale() {
			t.Error(watcher.EffectiveVerdict("r"))
		}
	})
}

func TestTheContextEndsAWatcher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for _, err := range watching(&script{}, WatchOptions{}).Updates(ctx) {
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		}
	})
}

type broken struct{}

var errDisk = errors.New("the disk is full")

func (broken) Load() (string, error) { return "", nil }
func (broken) Save(string) error     { return errDisk }

func TestATokenThatCannotBeKeptEndsAWatcher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		said := &script{streams: []spoken{{says: []*passportv1.WatchDecisionResponse{changed(1, "a", "r", Allow)}, ends: errOpen}}}
		var last error
		for _, err := range watching(said, WatchOptions{Resume: broken{}}).Updates(t.Context()) {
			last = err
		}
		if !errors.Is(last, errDisk) {
			t.Error(last)
		}
	})
}

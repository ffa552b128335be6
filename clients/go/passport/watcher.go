package passport

import (
	"context"
	"errors"
	"io"
	"iter"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	passportv1 "release-passport.dev/gen/release_passport/v1"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
)

const (
	missedHeartbeats = 3
	firstPause       = time.Second
	longestPause     = time.Minute
	// A stream that has lived so long was healthy: the pauses begin anew.
	healthy        = 30 * time.Second
	usualHeartbeat = 15 * time.Second
)

// News is what a watcher has heard.
type News string

// The kinds of news.
const (
	// Stood is the newest decision as the stream began; Synced that this was all.
	Stood   News = "stood"
	Synced  News = "synced"
	Changed News = "changed"
	Renewed News = "renewed"
	Expired News = "expired"
	// Stale means that nothing was heard for three heartbeats: what allowed is unknown until something is.
	Stale News = "stale"
	// Diverged means that the server's history is another one: what was done on the lost decisions needs a look.
	Diverged News = "diverged"
)

// Update is one thing that a watcher has heard; Decision is set for news of one.
type Update struct {
	News     News
	Revision int64
	Decision *passportv1.Decision
}

// WatchOptions are the parts of a watcher that have defaults.
type WatchOptions struct {
	// Resume keeps the token over restarts of the process; nil keeps nothing.
	Resume ResumeStore
	// Logger hears of ends of streams; nil means slog.Default().
	Logger *slog.Logger
}

// Watcher tells what happens to decisions, without end, and says what may be acted on now. Range over Updates in one
// goroutine; EffectiveVerdict and IsStale may be called from any.
type Watcher struct {
	streams passportv1.DecisionServiceClient
	request *passportv1.WatchDecisionRequest
	resume  ResumeStore
	logger  *slog.Logger
	chance  func() float64

	mutex     sync.Mutex
	current   map[string]*passportv1.Decision
	heard     time.Time
	interval  time.Duration
	toldStale bool

	token    string
	revision int64
	index    int32
	wait     time.Duration
}

// Watch returns a watcher; it asks for nothing until its updates are ranged over.
func (c *Client) Watch(request *passportv1.WatchDecisionRequest, options WatchOptions) *Watcher {
	return newWatcher(passportv1.NewDecisionServiceClient(c), request, options)
}

func newWatcher(
	streams passportv1.DecisionServiceClient, request *passportv1.WatchDecisionRequest, options WatchOptions,
) *Watcher {
	watcher := &Watcher{
		streams:   streams,
		request:   &passportv1.WatchDecisionRequest{},
		resume:    options.Resume,
		logger:    options.Logger,
		chance:    rand.Float64,
		current:   map[string]*passportv1.Decision{},
		interval:  usualHeartbeat,
		toldStale: true,
		index:     -1,
	}
	// Without a request everything is watched that the credential may read.
	if request != nil {
		proto.Merge(watcher.request, request)
	}
	if watcher.resume == nil {
		watcher.resume = forgetful{}
	}
	if watcher.logger == nil {
		watcher.logger = slog.Default()
	}
	return watcher
}

// Updates yields what happens until the context ends, the loop is left, or asking again does not mend what is wrong:
// then the last pair has an error, an *Error where it is the server's. The token of an update is kept once the loop asks
// for the next one, because then it was handled.
func (w *Watcher) Updates(ctx context.Context) iter.Seq2[Update, error] {
	return func(yield func(Update, error) bool) {
		err := w.run(ctx, func(update Update) bool { return yield(update, nil) })
		w.silence()
		if err != nil && !errors.Is(err, errLeft) {
			yield(Update{}, err)
		}
	}
}

// errLeft says that the loop over the updates was left.
var errLeft = errors.New("nobody listens any more")

type listener func(Update) bool

func (w *Watcher) run(ctx context.Context, tell listener) error {
	token, err := w.resume.Load()
	if err != nil {
		return err
	}
	w.token = token
	pause := firstPause
	for {
		began := time.Now()
		w.wait = 0
		if err := w.after(ctx, w.follow(ctx, tell), tell); err != nil {
			return err
		}
		if time.Since(began) >= healthy {
			pause = firstPause
		}
		rest := max(w.wait, time.Duration(w.chance()*float64(pause)))
		if err := w.sleep(ctx, rest, tell); err != nil {
			return err
		}
		pause = min(2*pause, longestPause)
	}
}

// follow tells what one stream says, until it ends or is silent.
func (w *Watcher) follow(ctx context.Context, tell listener) error {
	ctx, hangUp := context.WithCancel(ctx)
	defer hangUp()
	request := proto.CloneOf(w.request)
	request.ResumeToken = w.token
	messages, failure := w.open(ctx, request)
	silence := time.NewTimer(missedHeartbeats * w.interval)
	defer silence.Stop()
	for {
		select {
		case message := <-messages:
			if err := w.take(message, tell); err != nil {
				return err
			}
			silence.Reset(missedHeartbeats * w.interval)
		case err := <-failure:
			return err
		case <-silence.C:
			w.logger.WarnContext(ctx, "the stream of decisions is silent", "revision", w.revision)
			return w.tellStale(tell)
		}
	}
}

// open returns what a stream says, and after all of it how it ended; nobody needs to read to the end.
func (w *Watcher) open(
	ctx context.Context, request *passportv1.WatchDecisionRequest,
) (<-chan *passportv1.WatchDecisionResponse, <-chan error) {
	messages, failure := make(chan *passportv1.WatchDecisionResponse), make(chan error, 1)
	go func() {
		stream, err := w.streams.WatchDecision(ctx, request)
		for err == nil {
			var message *passportv1.WatchDecisionResponse
			if message, err = stream.Recv(); err != nil {
				break
			}
			select {
			case messages <- message:
			case <-ctx.Done():
				return
			}
		}
		failure <- err
	}()
	return messages, failure
}

func (w *Watcher) take(message *passportv1.WatchDecisionResponse, tell listener) error {
	update, isNews := w.hear(message)
	if isNews && !tell(update) {
		return errLeft
	}
	if goodbye := message.GetGoodbye(); goodbye != nil {
		w.wait = goodbye.GetReconnectAfter().AsDuration()
	}
	return w.keep(message.GetResumeToken())
}

// hear notes what a message says and returns what is new about it.
func (w *Watcher) hear(message *passportv1.WatchDecisionResponse) (Update, bool) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.heard, w.toldStale = time.Now(), false
	if interval := message.GetHeartbeatInterval().AsDuration(); interval > 0 {
		w.interval = interval
	}
	switch event := message.GetEvent().(type) {
	case *passportv1.WatchDecisionResponse_SnapshotEnd:
		return Update{News: Synced, Revision: message.GetRevision()}, true
	case *passportv1.WatchDecisionResponse_Decision:
		return w.hearOf(message.GetRevision(), event.Decision)
	}
	return Update{}, false
}

func (w *Watcher) hearOf(revision int64, event *passportv1.DecisionEvent) (Update, bool) {
	decision, news := event.GetDecision(), newsOf(event.GetKind())
	if news != Stood {
		if revision < w.revision || (revision == w.revision && event.GetIndex() <= w.index) {
			return Update{}, false
		}
		w.revision, w.index = revision, event.GetIndex()
	}
	if news == Expired {
		delete(w.current, decision.GetRelease())
	} else {
		w.current[decision.GetRelease()] = decision
	}
	return Update{news, revision, decision}, true
}

func newsOf(kind passportv1.DecisionEventKind) News {
	switch kind {
	case passportv1.DecisionEventKind_DECISION_EVENT_KIND_SNAPSHOT:
		return Stood
	case passportv1.DecisionEventKind_DECISION_EVENT_KIND_CHANGED:
		return Changed
	case passportv1.DecisionEventKind_DECISION_EVENT_KIND_RENEWED:
		return Renewed
	}
	// What this client does not know counts as the end of what stood.
	return Expired
}

func (w *Watcher) keep(token string) error {
	if token == w.token {
		return nil
	}
	w.token = token
	return w.resume.Save(token)
}

// after returns nil where a new stream goes on behind the old one's end.
func (w *Watcher) after(ctx context.Context, end error, tell listener) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var known *Error
	if end == nil || errors.Is(end, io.EOF) {
		return nil
	}
	if !errors.As(end, &known) {
		return end
	}
	w.wait = known.RetryAfter
	w.logger.InfoContext(ctx, "the stream of decisions ended", "code", known.Code, "reason", known.Reason, "revision", w.revision)
	switch known.Known() {
	case passportv1.ErrorReason_ERROR_REASON_HISTORY_DIVERGED:
		// What stood may not be in the record any more.
		w.forget()
		if !tell(Update{News: Diverged}) {
			return errLeft
		}
		fallthrough
	case passportv1.ErrorReason_ERROR_REASON_REVISION_COMPACTED, passportv1.ErrorReason_ERROR_REASON_RESUME_TOKEN_MISMATCH:
		w.revision, w.index = 0, -1
		return w.keep("")
	}
	if !resumed(known.Code) {
		return known
	}
	return nil
}

func resumed(code codes.Code) bool {
	switch code {
	case codes.Unavailable, codes.Canceled, codes.DeadlineExceeded, codes.Aborted, codes.ResourceExhausted, codes.Internal, codes.Unknown:
		return true
	}
	return false
}

// sleep waits, and tells in time that nothing was heard for three heartbeats.
func (w *Watcher) sleep(ctx context.Context, rest time.Duration, tell listener) error {
	done := time.NewTimer(rest)
	defer done.Stop()
	stale := time.NewTimer(w.untilStale())
	defer stale.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-done.C:
			return nil
		case <-stale.C:
			if err := w.tellStale(tell); err != nil {
				return err
			}
		}
	}
}

func (w *Watcher) untilStale() time.Duration {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return max(0, time.Until(w.heard.Add(missedHeartbeats*w.interval)))
}

func (w *Watcher) tellStale(tell listener) error {
	w.mutex.Lock()
	told := w.toldStale
	w.toldStale = true
	w.mutex.Unlock()
	if !told && !tell(Update{News: Stale}) {
		return errLeft
	}
	return nil
}

func (w *Watcher) forget() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	clear(w.current)
}

// silence makes what allowed unknown: nobody listens to the server now.
func (w *Watcher) silence() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.heard, w.toldStale = time.Time{}, true
}

// IsStale says whether nothing was heard for three heartbeats.
func (w *Watcher) IsStale() bool {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.isStale()
}

func (w *Watcher) isStale() bool {
	return w.heard.IsZero() || time.Since(w.heard) >= missedHeartbeats*w.interval
}

// EffectiveVerdict returns what may be acted on: HOLD for whatever is not known for certain now.
func (w *Watcher) EffectiveVerdict(release string) Verdict {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	decision := w.current[release]
	verdict := decision.GetEffectiveVerdict()
	if !Known(verdict) {
		return Hold
	}
	ended := decision.GetValidUntil() != nil && !decision.GetValidUntil().AsTime().After(time.Now())
	if Allowing(verdict) && (w.isStale() || ended) {
		return Hold
	}
	return verdict
}

// Package argorollouts pauses and resumes Rollouts of Argo Rollouts as their releases may go on or may not. It stands on
// interfaces alone: a reconciler of controller-runtime calls Reconcile, and its client satisfies Rollouts in a few lines.
package argorollouts

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"release-passport.dev/passport"
)

// ReleaseAnnotation names the release that a Rollout rolls out.
const ReleaseAnnotation = "release-passport.dev/release"

// PausedByAnnotation is set while this controller pauses a Rollout: what people paused, it does not resume.
const PausedByAnnotation = "release-passport.dev/paused"

const resyncInterval = 5 * time.Second

// ErrNotFound is returned by Rollouts for a Rollout that is gone.
var ErrNotFound = errors.New("there is no such Rollout")

// Key names a Rollout.
type Key struct{ Namespace, Name string }

// Rollout is the part of a Rollout that this controller reads.
type Rollout struct {
	Annotations map[string]string
	// Paused is spec.paused.
	Paused bool
}

// Rollouts reads and changes Rollouts, such as those of a cluster.
type Rollouts interface {
	// Get returns a Rollout, or ErrNotFound.
	Get(ctx context.Context, key Key) (*Rollout, error)
	// Find returns the Rollouts of a release; of every release for "".
	Find(ctx context.Context, release string) ([]Key, error)
	// SetPaused sets spec.paused and PausedByAnnotation to the value, or removes the annotation, in one patch.
	SetPaused(ctx context.Context, key Key, paused bool) error
}

// Verdicts says what may be acted on now, such as a *passport.Watcher.
type Verdicts interface {
	EffectiveVerdict(release string) passport.Verdict
}

// Controller keeps Rollouts as their releases' verdicts say.
type Controller struct {
	Rollouts Rollouts
	Verdicts Verdicts
	// AcceptCanary says that the Rollouts' steps keep the limits of ALLOW_WITH_CANARY.
	AcceptCanary bool
	Logger       *slog.Logger

	mutex sync.Mutex
}

// Reconcile pauses a Rollout whose release may not go on, and resumes what it paused itself. A Rollout that names no
// release is left alone.
func (c *Controller) Reconcile(ctx context.Context, key Key) error {
	rollout, err := c.Rollouts.Get(ctx, key)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	release := rollout.Annotations[ReleaseAnnotation]
	if release == "" {
		return nil
	}
	verdict := c.Verdicts.EffectiveVerdict(release)
	proceed := verdict == passport.Allow || (verdict == passport.AllowWithCanary && c.AcceptCanary)
	_, ours := rollout.Annotations[PausedByAnnotation]
	if rollout.Paused == !proceed || (rollout.Paused && !ours) {
		return nil
	}
	c.Logger.InfoContext(ctx, "the release's verdict changes its Rollout",
		"namespace", key.Namespace, "rollout", key.Name, "verdict", verdict.String(), "paused", !proceed)
	return c.Rollouts.SetPaused(ctx, key, !proceed)
}

// Run reconciles the Rollouts of each release that a watcher hears of, and all of them every few seconds, because time
// alone ends what a decision allows. It ends with the context, or with what the watcher cannot mend; then all of them
// are reconciled a last time, and pause. In a manager of controller-runtime it is a Runnable.
func (c *Controller) Run(ctx context.Context, watcher *passport.Watcher) error {
	ctx, leave := context.WithCancel(ctx)
	var resyncing sync.WaitGroup
	resyncing.Go(func() { c.resync(ctx) })
	var end error
	for update, err := range watcher.Updates(ctx) {
		if err != nil {
			end = err
			break
		}
		c.reconcileAll(ctx, update.Decision.GetRelease())
	}
	leave()
	resyncing.Wait()
	c.reconcileAll(context.WithoutCancel(ctx), "")
	return end
}

func (c *Controller) resync(ctx context.Context) {
	ticks := time.NewTicker(resyncInterval)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
			c.reconcileAll(ctx, "")
		}
	}
}

func (c *Controller) reconcileAll(ctx context.Context, release string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	keys, err := c.Rollouts.Find(ctx, release)
	if err != nil {
		c.Logger.ErrorContext(ctx, "the Rollouts of a release cannot be read", "release", release, "error", err)
		return
	}
	for _, key := range keys {
		if err := c.Reconcile(ctx, key); err != nil {
			c.Logger.ErrorContext(ctx, "a Rollout cannot be kept", "namespace", key.Namespace, "rollout", key.Name, "error", err)
		}
	}
}

package argorollouts

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"release-passport.dev/passport"
)

type cluster struct {
	rollouts map[Key]*Rollout
	patches  int
}

func (c *cluster) Get(_ context.Context, key Key) (*Rollout, error) {
	if found, has := c.rollouts[key]; has {
		return found, nil
	}
	return nil, ErrNotFound
}

func (c *cluster) Find(_ context.Context, release string) ([]Key, error) {
	var keys []Key
	for key, rollout := range c.rollouts {
		if release == "" || rollout.Annotations[ReleaseAnnotation] == release {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

func (c *cluster) SetPaused(_ context.Context, key Key, paused bool) error {
	c.patches++
	rollout := c.rollouts[key]
	rollout.Paused = paused
	delete(rollout.Annotations, PausedByAnnotation)
	if paused {
		rollout.Annotations[PausedByAnnotation] = "true"
	}
	return nil
}

type verdict passport.Verdict

func (v verdict) EffectiveVerdict(string) passport.Verdict { return passport.Verdict(v) }

var key = Key{"shop", "checkout"}

func reconciled(t *testing.T, cluster *cluster, said passport.Verdict, canary bool) *Rollout {
	t.Helper()
	controller := Controller{Rollouts: cluster, Verdicts: verdict(said), AcceptCanary: canary, Logger: slog.New(slog.DiscardHandler)}
	if err := controller.Reconcile(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	return cluster.rollouts[key]
}

func rolling() *cluster {
	return &cluster{rollouts: map[Key]*Rollout{key: {Annotations: map[string]string{ReleaseAnnotation: "r"}}}}
}

func TestARolloutPausesAndGoesOnWithItsRelease(t *testing.T) {
	cluster := rolling()
	for _, step := range []struct {
		said   passport.Verdict
		paused bool
	}{
		{passport.Allow, false}, {passport.Hold, true}, {passport.Block, true}, {passport.Allow, false},
		{passport.RollbackRecommended, true}, {99, true},
	} {
		if rollout := reconciled(t, cluster, step.said, false); rollout.Paused != step.paused {
			t.Errorf("after %v: paused is %v", step.said, rollout.Paused)
		}
	}
	if cluster.patches != 3 {
		t.Errorf("%d patches; what is as it should be needs none", cluster.patches)
	}
}

func TestACanaryGoesOnWhereItsLimitsAreKept(t *testing.T) {
	if !reconciled(t, rolling(), passport.AllowWithCanary, false).Paused || reconciled(t, rolling(), passport.AllowWithCanary, true).Paused {
		t.Error("a canary is a yes only for who keeps its limits")
	}
}

func TestWhatPeoplePausedIsNotResumed(t *testing.T) {
	cluster := rolling()
	cluster.rollouts[key].Paused = true
	if !reconciled(t, cluster, passport.Allow, false).Paused {
		t.Error("resumed")
	}
}

func TestARolloutWithoutAReleaseIsLeftAlone(t *testing.T) {
	cluster := rolling()
	delete(cluster.rollouts[key].Annotations, ReleaseAnnotation)
	if reconciled(t, cluster, passport.Block, false).Paused {
		t.Error("paused")
	}
}

func TestAWatcherThatEndsPausesAll(t *testing.T) {
	client, err := passport.Dial(passport.Target{Server: "127.0.0.1:9", Plaintext: true})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	cluster := rolling()
	watcher := client.Watch(nil, passport.WatchOptions{Logger: slog.New(slog.DiscardHandler)})
	controller := Controller{Rollouts: cluster, Verdicts: watcher, Logger: slog.New(slog.DiscardHandler)}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := controller.Run(ctx, watcher); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if !cluster.rollouts[key].Paused {
		t.Error("goes on without a gate")
	}
}

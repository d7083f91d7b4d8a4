// Package sharing exchanges statistics among the gateways that share a Redis, so
// that each plans with what all of them saw.
//
// Every gateway writes what it saw under a key of its own, which expires when the
// gateway is gone, and reads what the others wrote. Nothing is added up in Redis:
// a Redis that is emptied is full again after one round.
package sharing

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/switchyard/switchyard/policies/redis"
)

const (
	// patience is how long the loop waits for Redis: nobody waits for the loop.
	patience = time.Second
	// silent rounds after which a gateway counts as gone.
	silent = 5
)

// Exchanger is what is shared, such as what a [health.Tracker] knows.
type Exchanger interface {
	// Export returns what this gateway saw itself, nothing of what it imported.
	Export(now time.Time) []byte
	// Import takes in what another instance exported, in place of what it exported
	// before. Its error is logged, and once.
	Import(instance string, data []byte, now time.Time) error
	// Forget drops what an instance exported.
	Forget(instance string)
}

// Options of a [Loop]. Zero means the default.
type Options struct {
	// Instance names this gateway among those that share a Redis. Default: a new
	// random name.
	Instance string
	// Every is the time between two rounds. Default 2s. A gateway that was silent for
	// five rounds is forgotten.
	Every time.Duration
	// Log must be set.
	Log *slog.Logger
}

// Loop exchanges statistics until it is told to stop.
type Loop struct {
	client    *goredis.Client
	name      func(string) string
	exchanger Exchanger
	options   Options
	failures  atomic.Int64

	// Of the loop's goroutine alone:

	// others are the gateways whose statistics were read; true: they could not be
	// imported, and that was logged.
	others map[string]bool
	// answered is when Redis last did.
	answered time.Time
	outage   bool
}

// New returns a loop over client, which the caller closes after [Loop.Run] ended.
func New(client *redis.Client, exchanger Exchanger, options Options) *Loop {
	options.Instance = cmp.Or(options.Instance, rand.Text())
	options.Every = cmp.Or(options.Every, 2*time.Second)
	return &Loop{
		client: client.WithTimeout(patience), name: client.Key, exchanger: exchanger, options: options,
		others: make(map[string]bool),
	}
}

// Failures is how many rounds failed since the start. It may be called concurrently.
func (l *Loop) Failures() int64 { return l.failures.Load() }

// Run exchanges statistics at once and then in every round, until ctx ends. Then
// it forgets what it imported, and takes its own statistics back. Call it once.
func (l *Loop) Run(ctx context.Context) {
	ticker := time.NewTicker(l.options.Every)
	defer ticker.Stop()
	for {
		l.round(ctx, time.Now())
		select {
		case <-ticker.C:
		case <-ctx.Done():
			l.leave(context.WithoutCancel(ctx))
			return
		}
	}
}

// round exchanges statistics once.
func (l *Loop) round(ctx context.Context, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	others, err := l.announce(ctx, now)
	if err == nil {
		err = l.read(ctx, others, now)
	}
	switch {
	case errors.Is(err, context.Canceled): // the gateway ends
	case err != nil:
		l.failed(err, now)
	default:
		l.answered = now
		if l.outage {
			l.outage = false
			l.options.Log.Info("Redis answers again: statistics are shared with the other gateways")
		}
	}
}

// failed counts a round without an answer, logs the first of a row, and forgets the
// others when what is known of them is old.
func (l *Loop) failed(err error, now time.Time) {
	l.failures.Add(1)
	if !l.outage {
		l.outage = true
		l.options.Log.Warn("Redis does not answer: statistics are not shared with the other gateways", "error", err)
	}
	if now.Sub(l.answered) > l.lifetime() {
		l.keepOnly(nil)
	}
}

// lifetime is how long statistics count after they were written.
func (l *Loop) lifetime() time.Duration { return silent * l.options.Every }

// keepOnly forgets the gateways that are not in present.
func (l *Loop) keepOnly(present map[string]bool) {
	for instance := range l.others {
		if !present[instance] {
			delete(l.others, instance)
			l.exchanger.Forget(instance)
		}
	}
}

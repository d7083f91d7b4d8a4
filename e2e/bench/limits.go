package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/money"
	"github.com/switchyard/switchyard/policies/quota"
	"github.com/switchyard/switchyard/policies/redis"
	"github.com/switchyard/switchyard/policies/redis/redistest"
)

// limits is what it costs a request to have every kind of limit: medians.
type limits struct {
	memory    time.Duration // reserved and settled
	redis     time.Duration // reserved; it is settled behind the answer
	roundTrip time.Duration // of the same Redis, without any work
}

// added is what Redis takes beyond its round trip, in microseconds.
func (l *limits) added() float64 { return 1e6 * (l.redis - l.roundTrip).Seconds() }

// redisPatience is more than a busy machine lets Redis wait.
const redisPatience = 10 * time.Second

// limitsFor is how long each store is measured. It is no shorter than a benchmark's
// first run may last, so that there is no second.
const limitsFor = time.Second

// measureLimits measures in this process, and against a Redis of its own.
func measureLimits(ctx context.Context) (*limits, error) {
	var memory, inRedis, roundTrips []time.Duration
	limiter := quota.New(quota.Options{})
	for end := time.Now().Add(limitsFor); time.Now().Before(end); {
		reserving, settling, err := use(ctx, limiter)
		if err != nil {
			return nil, fmt.Errorf("limits in memory: %w", err)
		}
		memory = append(memory, reserving+settling)
	}
	var err error
	// A benchmark is a test for redistest.
	testing.Benchmark(func(b *testing.B) {
		if err != nil {
			return
		}
		cfg := redistest.Start(b).Config()
		cfg.Timeout = durationpb.New(redisPatience)
		var client *redis.Client
		if client, err = redis.Open(cfg, ""); err != nil {
			return
		}
		defer client.Close()
		limiter := quota.New(quota.Options{Store: quota.NewRedis(client), Bound: client.Bound})
		for end := time.Now().Add(limitsFor); time.Now().Before(end); {
			began := time.Now()
			if err = client.Ping(ctx).Err(); err != nil {
				return
			}
			roundTrips = append(roundTrips, time.Since(began))
			var reserving time.Duration
			if reserving, _, err = use(ctx, limiter); err != nil {
				return
			}
			inRedis = append(inRedis, reserving)
		}
	})
	if err == nil && len(inRedis) == 0 {
		err = errors.New("is redis-server installed?")
	}
	if err != nil {
		return nil, fmt.Errorf("limits in Redis: %w", err)
	}
	return &limits{median(memory), median(inRedis), median(roundTrips)}, nil
}

func median(took []time.Duration) time.Duration {
	slices.Sort(took)
	return took[len(took)/2]
}

// use reserves under limits of all kinds, and settles.
func use(ctx context.Context, limiter *quota.Limiter) (reserving, settling time.Duration, err error) {
	const scope, most = "key:bench", 1 << 40
	began := time.Now()
	reserved, denial := limiter.Reserve(ctx, []quota.Claim{
		quota.NewClaim(quota.Limit{Scope: scope, Measure: quota.Requests, Most: most, Window: 10 * time.Second}, 1),
		quota.NewClaim(quota.Limit{Scope: scope, Measure: quota.Tokens, Most: most, Window: time.Minute}, 1000),
		quota.NewClaim(quota.Limit{Scope: scope, Measure: quota.Money, Most: most, Reset: identity.ResetDaily}, 1000),
		quota.NewClaim(quota.Limit{Scope: scope, Measure: quota.Concurrency, Most: most}, 1),
	}, began)
	if denial != nil {
		return 0, 0, fmt.Errorf("refused: %+v", denial)
	}
	between := time.Now()
	reserved.Settle(ctx, quota.Actual{Tokens: 100, Money: money.Dollar / 1e6}, between)
	return between.Sub(began), time.Since(between), nil
}

// markdown is the report's section on limits.
func (l *limits) markdown(out *strings.Builder) {
	fmt.Fprint(out, "\n## Limits of requests, tokens, money and concurrency, all four\n\n| kept in | µs |\n|---|---:|\n")
	fmt.Fprintf(out, "| memory: reserve and settle | %s |\n", number(1e6*l.memory.Seconds()))
	fmt.Fprintf(out, "| Redis: reserve | %s |\n", number(1e6*l.redis.Seconds()))
	fmt.Fprintf(out, "| Redis: a round trip without any work | %s |\n", number(1e6*l.roundTrip.Seconds()))
}

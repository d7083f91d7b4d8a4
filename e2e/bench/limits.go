package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/money"
	"github.com/switchyard/switchyard/policies/quota"
	"github.com/switchyard/switchyard/policies/redis"
	"github.com/switchyard/switchyard/policies/redis/redistest"
)

// limits is what it costs a request to have every kind of limit.
type limits struct {
	memory    testing.BenchmarkResult // reserved and settled
	redis     testing.BenchmarkResult // reserved
	roundTrip testing.BenchmarkResult // of the same Redis, without any work
}

// added is what Redis takes beyond its round trip, in microseconds.
func (l *limits) added() float64 { return microseconds(l.redis) - microseconds(l.roundTrip) }

// measureLimits measures in this process, and against a Redis of its own.
func measureLimits() (*limits, error) {
	l := &limits{
		memory: testing.Benchmark(func(b *testing.B) {
			limiter := quota.New(quota.Options{})
			b.ReportAllocs()
			for b.Loop() {
				reserve(b, limiter).Settle(b.Context(), quota.Actual{Tokens: 100, Money: money.Dollar / 1e6}, time.Now())
			}
		}),
		redis: testing.Benchmark(func(b *testing.B) {
			client := ownRedis(b)
			limiter := quota.New(quota.Options{Store: quota.NewRedis(client), Bound: client.Bound})
			for b.Loop() {
				reserved := reserve(b, limiter)
				b.StopTimer() // it is settled behind the answer
				reserved.Settle(b.Context(), quota.Actual{Tokens: 100, Money: money.Dollar / 1e6}, time.Now())
				b.StartTimer()
			}
		}),
		roundTrip: testing.Benchmark(func(b *testing.B) {
			client := ownRedis(b)
			for b.Loop() {
				if err := client.Ping(b.Context()).Err(); err != nil {
					b.Fatal(err)
				}
			}
		}),
	}
	if l.memory.N == 0 || l.redis.N == 0 || l.roundTrip.N == 0 {
		return nil, errors.New("the cost of limits cannot be measured: is redis-server installed?")
	}
	return l, nil
}

func ownRedis(b *testing.B) *redis.Client {
	b.Helper()
	client := redistest.Start(b).Open(b)
	if err := client.Ping(context.Background()).Err(); err != nil {
		b.Fatal(err)
	}
	return client
}

func reserve(b *testing.B, limiter *quota.Limiter) *quota.Reservation {
	b.Helper()
	const scope, most = "key:bench", 1 << 40
	reserved, denial := limiter.Reserve(b.Context(), []quota.Claim{
		quota.NewClaim(quota.Limit{Scope: scope, Measure: quota.Requests, Most: most, Window: 10 * time.Second}, 1),
		quota.NewClaim(quota.Limit{Scope: scope, Measure: quota.Tokens, Most: most, Window: time.Minute}, 1000),
		quota.NewClaim(quota.Limit{Scope: scope, Measure: quota.Money, Most: most, Reset: identity.ResetDaily}, 1000),
		quota.NewClaim(quota.Limit{Scope: scope, Measure: quota.Concurrency, Most: most}, 1),
	}, time.Now())
	if denial != nil {
		b.Fatalf("refused: %+v", denial)
	}
	return reserved
}

// markdown is the report's section on limits.
func (l *limits) markdown(out *strings.Builder) {
	fmt.Fprint(out, "\n## Limits of requests, tokens, money and concurrency, all four\n\n| kept in | µs |\n|---|---:|\n")
	fmt.Fprintf(out, "| memory: reserve and settle | %s |\n", number(microseconds(l.memory)))
	fmt.Fprintf(out, "| Redis: reserve | %s |\n", number(microseconds(l.redis)))
	fmt.Fprintf(out, "| Redis: a round trip without any work | %s |\n", number(microseconds(l.roundTrip)))
}

package ledger

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/switchyard/switchyard/policies/database"
	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/usage"
	"github.com/switchyard/switchyard/policies/usage/journal"
	"github.com/switchyard/switchyard/policies/usage/postgrestest"
	"github.com/switchyard/switchyard/policies/usage/store"
)

// What a request costs the process from its first note to its row in the database. A
// hundred are saved at once, as of two thousand requests a second.
func BenchmarkGeneration(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) {
		db, err := database.OpenSQLite(b.Context(), filepath.Join(b.TempDir(), "ledger.db"))
		benchmark(b, db, err)
	})
	b.Run("postgres", func(b *testing.B) {
		db, err := database.OpenPostgres(b.Context(), postgrestest.Start(b).Connection())
		benchmark(b, db, err)
	})
}

func benchmark(b *testing.B, db *database.DB, err error) {
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	j, _, err := journal.Open(b.TempDir(), journal.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = j.Close() })
	ctx, stop := context.WithCancel(b.Context())
	l, ended := New(j, store.New(db, identity.NewSealer([]byte("secret"))), prometheus.NewRegistry(), slog.New(slog.DiscardHandler)), make(chan struct{})
	go func() { l.Run(ctx, time.Second); close(ended) }()
	b.Cleanup(func() { stop(); <-ended })

	b.ReportAllocs()
	before, n := processorTime(b), 0
	for ; b.Loop(); n++ {
		if n%100 == 99 {
			if err := l.CatchUp(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
		begins, ends := served(n)
		for _, err := range []error{j.Note(begins), j.Note(ends), j.Settle(ends)} {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := l.CatchUp(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64((processorTime(b)-before).Nanoseconds())/float64(n), "cpu-ns/op")
}

// served is a generation as it is noted first and last.
func served(n int) (begins, ends *usage.Generation) {
	begins = &usage.Generation{
		ID: fmt.Sprintf("gen-%d-OfBYa0Gvw6PbdwY%05d", 1_795_435_464+n/2000, n), RequestID: fmt.Sprintf("2f1f5be4-7d54-9e6c-8d5f-%012d", n),
		Created: time.UnixMicro(1_795_435_464_123_456 + 500*int64(n)).UTC(),
		KeyHash: "7bd1e0c8f6a3b2947bd1e0c8f6a3b2947bd1e0c8f6a3b2947bd1e0c8f6a3b294", KeyName: "alice", Workspace: "default", API: "completions",
		Requested: "openai/gpt-5-mini", Estimated: true, UserAgent: "OpenAI/Python 2.8.1", Referer: "https://app.example", Title: "App",
		Attempts: []usage.Attempt{{
			Number: 1, Endpoint: "openai/gpt-5-mini|openai", Model: "openai/gpt-5-mini", Provider: "openai", ProviderName: "OpenAI",
			Outcome: usage.Lost, Prices: "3f5a77c1d20b9e64", Tokens: usage.Tokens{Prompt: 250}, Charge: usage.Charge{Total: 62_500_000, Prompt: 62_500_000}, Estimated: true,
		}},
	}
	whole := *begins
	whole.Estimated, whole.FinishReason, whole.NativeFinishReason = false, "stop", "stop"
	whole.Attempts = []usage.Attempt{begins.Attempts[0]}
	served := &whole.Attempts[0]
	served.Outcome, served.Status, served.Estimated, served.UpstreamID = "ok", 200, false, "chatcmpl-CkL3uV8m0Y1QeR5tT7wX9zAbCdEf2"
	served.Latency, served.Duration = 301_234, 1_401_234
	served.Tokens = usage.Tokens{Prompt: 231, Completion: 120, Reasoning: 64}
	served.Charge = usage.Charge{Total: 297_750_000, Prompt: 57_750_000, Completion: 240_000_000}
	return begins, &whole
}

func processorTime(b *testing.B) time.Duration {
	var spent syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &spent); err != nil {
		b.Fatal(err)
	}
	return time.Duration(spent.Utime.Nano() + spent.Stime.Nano())
}

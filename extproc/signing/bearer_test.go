package signing

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// source hands out tokens, and can fail or take its time.
type source struct {
	fetches  atomic.Int64
	lifetime time.Duration
	delay    time.Duration
	failure  atomic.Pointer[error]
}

func (s *source) fetch(ctx context.Context) (fetched, error) {
	n := s.fetches.Add(1)
	select {
	case <-time.After(s.delay):
	case <-ctx.Done():
		return fetched{}, ctx.Err()
	}
	if failure := s.failure.Load(); failure != nil {
		return fetched{}, *failure
	}
	return fetched{text: fmt.Sprintf("token-%d", n), expires: time.Now().Add(s.lifetime)}, nil
}

func (s *source) fail(err error) { s.failure.Store(&err) }

// signs checks which token a request gets.
func signs(t *testing.T, b *bearer, want string) {
	t.Helper()
	headers, err := b.Sign(t.Context(), Request{})
	if err != nil || len(headers) != 1 || headers[0].Name != "authorization" || headers[0].Value != "Bearer "+want {
		t.Errorf("%v, %v; want %s", headers, err, want)
	}
}

func TestThousandWaitForOneToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{lifetime: time.Hour, delay: time.Second}
		b := &bearer{fetch: s.fetch}
		var all sync.WaitGroup
		for range 1000 {
			all.Go(func() { signs(t, b, "token-1") })
		}
		all.Wait()
		if got := s.fetches.Load(); got != 1 {
			t.Errorf("%d fetches", got)
		}
	})
}

func TestTokenIsRenewedBeforeItsEndAndNoRequestWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{lifetime: time.Hour}
		b := &bearer{fetch: s.fetch}
		signs(t, b, "token-1")
		time.Sleep(time.Hour - ahead - time.Second)
		signs(t, b, "token-1")
		if got := s.fetches.Load(); got != 1 {
			t.Errorf("%d fetches before it is time", got)
		}
		time.Sleep(2 * time.Second)
		s.delay = 20 * time.Second
		started := time.Now()
		for range 10 {
			signs(t, b, "token-1")
		}
		if time.Since(started) != 0 {
			t.Errorf("requests waited for %v", time.Since(started))
		}
		time.Sleep(21 * time.Second)
		signs(t, b, "token-2")
		if got := s.fetches.Load(); got != 2 {
			t.Errorf("%d fetches", got)
		}
	})
}

func TestExpiredTokenIsNotUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{lifetime: time.Hour}
		b := &bearer{fetch: s.fetch}
		signs(t, b, "token-1")
		time.Sleep(time.Hour - margin)
		signs(t, b, "token-2")
	})
}

func TestFailingEndpointIsAskedEverMoreRarely(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{lifetime: time.Hour}
		b := &bearer{fetch: s.fetch}
		down := errors.New("down")
		s.fail(down)
		for range 6000 { // ten minutes with ten requests a second
			if _, err := b.Sign(t.Context(), Request{}); !errors.Is(err, down) {
				t.Fatalf("error %v", err)
			}
			time.Sleep(100 * time.Millisecond)
		}
		// 1, 2, 4, 8, 16, 32 s, and then once a minute.
		if got := s.fetches.Load(); got < 14 || got > 19 {
			t.Errorf("%d fetches", got)
		}
		s.failure.Store(nil)
		time.Sleep(longestPause)
		signs(t, b, fmt.Sprintf("token-%d", s.fetches.Load()+1))
	})
}

// Where a fetch fails slowly, one request in a while waits for it, and not for long.
func TestSlowFailureIsNotWaitedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{lifetime: time.Hour, delay: 5 * time.Second}
		b := &bearer{fetch: s.fetch}
		down := errors.New("down")
		s.fail(down)
		for i := range 100 {
			began := time.Now()
			if _, err := b.Sign(t.Context(), Request{}); !errors.Is(err, down) {
				t.Fatalf("error %v", err)
			}
			if waited := time.Since(began); i > 0 && waited > patience {
				t.Errorf("request %d waited for %v", i, waited)
			}
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(longestFetch)
	})
}

func TestFailedRenewalLeavesTheTokenInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{lifetime: time.Hour}
		b := &bearer{fetch: s.fetch}
		signs(t, b, "token-1")
		s.fail(errors.New("down"))
		time.Sleep(time.Hour - ahead)
		for range 100 {
			signs(t, b, "token-1")
			time.Sleep(time.Second)
		}
		if got := s.fetches.Load(); got < 3 || got > 10 {
			t.Errorf("%d fetches in 100 seconds", got)
		}
	})
}

func TestRequestWaitsNoLongerThanItMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{lifetime: time.Hour, delay: time.Hour}
		b := &bearer{fetch: s.fetch}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := b.Sign(ctx, Request{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		// Those who may wait longer wait for the same fetch, and not for ever.
		started := time.Now()
		_, err := b.Sign(t.Context(), Request{})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(started) != longestFetch-time.Second || s.fetches.Load() != 1 {
			t.Errorf("error %v after %v, %d fetches", err, time.Since(started), s.fetches.Load())
		}
	})
}

func TestTokensThatAreNone(t *testing.T) {
	now := time.Now()
	for name, from := range map[string]fetched{
		"empty":          {expires: now.Add(time.Hour)},
		"with a break":   {text: "a\r\nx-evil: 1", expires: now.Add(time.Hour)},
		"expired":        {text: "a", expires: now},
		"without an end": {text: "a"},
	} {
		if _, err := newToken(from, now); err == nil {
			t.Errorf("a token %s is taken", name)
		}
	}
}

func BenchmarkSignWithTokenAtHand(b *testing.B) {
	s := &source{lifetime: time.Hour}
	signer := &bearer{fetch: s.fetch}
	if _, err := signer.Sign(b.Context(), Request{}); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if _, err := signer.Sign(context.Background(), Request{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

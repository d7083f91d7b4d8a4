package extproc

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/signing"
	"github.com/switchyard/switchyard/policies/config/configpb"
)

type signerFunc func(ctx context.Context, request signing.Request) ([]dialect.Header, error)

func (f signerFunc) Sign(ctx context.Context, request signing.Request) ([]dialect.Header, error) {
	return f(ctx, request)
}

// signedBy puts a signer before provider a.
func signedBy(signer signerFunc) func(*configpb.Config, *Policy) {
	return func(_ *configpb.Config, policy *Policy) {
		policy.Signers = map[string]signing.Signer{"a": signer}
	}
}

func TestSignatureCoversTheWholeRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen signing.Request
		g := newGateway(t, signedBy(func(_ context.Context, request signing.Request) ([]dialect.Header, error) {
			seen = request
			return []dialect.Header{{Name: "authorization", Value: "proof"}}, nil
		}))
		_, got := g.asked("1", wholeOf)
		if got.set["authorization"] != "proof" {
			t.Errorf("authorization %q", got.set["authorization"])
		}
		if string(seen.Body) != got.body {
			t.Errorf("signed %s, sent %s", seen.Body, got.body)
		}
		for _, h := range seen.Headers {
			if got.set[h.Name] != h.Value || strings.Contains(h.Value, "secret-of-a") {
				t.Errorf("signed %s: %s, sent %s", h.Name, h.Value, got.set[h.Name])
			}
		}
		if len(seen.Headers) != len(got.set)-1 {
			t.Errorf("%d headers signed of %d", len(seen.Headers), len(got.set)-1)
		}
	})
}

func TestRequestThatCannotBeSignedMovesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, signedBy(func(context.Context, signing.Request) ([]dialect.Header, error) {
			return nil, errors.New("no token to be had")
		}))
		e := g.attempt("1")
		e.asks(wholeOf, true)
		if got := e.refused(); got.set[headerFailover] == "" || strings.Contains(got.body, "token") || !strings.Contains(got.body, "The gateway could not sign") {
			t.Errorf("failover %q, body %s", got.set[headerFailover], got.body)
		}
		g.wantCount(1, "failovers_total", "a", "authentication")
	})
}

func TestTokenThatDoesNotComeIsWaitedForNoLongerThanAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, signedBy(func(ctx context.Context, _ signing.Request) ([]dialect.Header, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}))
		started := time.Now()
		e := g.attempt("1")
		e.asks(wholeOf, true)
		if got := e.refused(); got.set[headerFailover] == "" || time.Since(started) != headersWithin {
			t.Errorf("failover %q after %v", got.set[headerFailover], time.Since(started))
		}
	})
}

// Some providers quote the request in their errors, the token in it.
func TestHeaderThatAProviderQuotesIsHidden(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, onlyA, func(cfg *configpb.Config, _ *Policy) {
			cfg.Providers["a"].Headers = map[string]string{"X-Team-Token": "hdr-secret-98765", "X-Tier": "one"}
		})
		e, _ := g.asked("1", wholeOf)
		e.replies("400", viaUpstream)
		e.sends(`{"error":{"message":"no one takes hdr-secret-98765"}}`, true)
		if got := e.refused(); strings.Contains(got.body, "98765") || !strings.Contains(got.body, "no one takes") {
			t.Errorf("body %s", got.body)
		}
	})
}

func TestTokenThatAProviderQuotesIsHidden(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, signedBy(func(context.Context, signing.Request) ([]dialect.Header, error) {
			return []dialect.Header{{Name: "authorization", Value: "Bearer ya29.of-a"}}, nil
		}))
		e := g.attempt("1")
		e.asks(wholeOf, true)
		e.forwarded()
		e.replies("400", viaUpstream)
		e.sends(`{"error":{"message":"you sent Bearer ya29.of-a","code":"ya29.of-a","key":"secret-of-a"}}`, true)
		if got := e.refused(); !strings.Contains(got.body, "you sent") || strings.Contains(got.body, "ya29") || strings.Contains(got.body, "secret-of-a") {
			t.Errorf("body %s", got.body)
		}
	})
}

package extproc

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/bedrock"
	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/health"
)

// seeing is a request that Bedrock cannot be given: it fetches nothing.
const seeing = `{"model":"m/x","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}]}]}`

// blind makes a provider one that refuses what it would have to fetch.
func blind(slugs ...string) func(*configpb.Config, *Policy) {
	return func(cfg *configpb.Config, _ *Policy) {
		for _, slug := range slugs {
			cfg.Providers[slug].Dialect = configpb.Dialect_DIALECT_BEDROCK
		}
		cfg.Models["m/x"].InputModalities = []string{"text", "image"}
	}
}

func newBlindGateway(t *testing.T, slugs ...string) *gateway {
	t.Helper()
	g := newGateway(t, blind(slugs...))
	g.Providers[bedrock.Name] = bedrock.Provider{}
	return g
}

// refuses opens an attempt whose endpoint cannot be given the request.
func (g *gateway) refuses(number, body string) reply {
	g.t.Helper()
	e := g.attempt(number)
	e.asks(body, true)
	return e.refused()
}

// What one endpoint's dialect has no words for another endpoint of the same model may
// take.
func TestDialectsRefusalMovesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBlindGateway(t, "a")
		if got := g.refuses("1", seeing); got.set[headerFailover] != "bad_request" {
			t.Fatalf("failover %q, body %s", got.set[headerFailover], got.body)
		}
		e, got := g.asked("2", seeing)
		if got.set[headerCluster] != "provider/b" {
			t.Errorf("the second attempt goes to %v", got.set)
		}
		e.replies("200", viaUpstream)
		e.sends(`{"id":"m","type":"message","role":"assistant","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}`, true)
		e.begins()
		e.rest()
		if summary := g.Health.Summary("m/x|a", time.Now()); summary.Class != health.None || !summary.CoolingUntil.IsZero() {
			t.Errorf("the refusal is held against the provider: %+v", summary)
		}
		g.wantCount(1, "requests_total", "ok")
	})
}

// The refusal is shown when nothing better was said: behind an outage it is not what
// the client has to know.
func TestDialectsRefusalIsShownLast(t *testing.T) {
	t.Run("alone", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newBlindGateway(t, "a", "b")
			g.refuses("1", seeing)
			got := g.refuses("2", seeing)
			if got.status != 400 || got.set[headerFailover] != "" || !strings.HasPrefix(got.error.Message, "'messages.0'") {
				t.Errorf("%d, failover %q: %s", got.status, got.set[headerFailover], got.body)
			}
			if previous, _ := got.error.Metadata["previous_errors"].([]any); len(previous) != 1 {
				t.Errorf("previous errors %v", previous)
			}
			g.wantCount(1, "requests_total")
			g.wantCount(1, "requests_total", "denied")
		})
	})
	t.Run("behind an outage", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newBlindGateway(t, "b")
			e, _ := g.asked("1", seeing)
			e.replies("503", viaUpstream)
			e.sends(`{"error":{"message":"a is busy"}}`, true)
			e.refused()
			got := g.refuses("2", seeing)
			if got.status != 503 || got.error.Message != "a: a is busy" || got.set[headerFailover] != "" {
				t.Errorf("%d, failover %q: %s", got.status, got.set[headerFailover], got.body)
			}
			if previous, _ := got.error.Metadata["previous_errors"].([]any); len(previous) != 1 || !strings.Contains(got.body, "fetches no URL") {
				t.Errorf("the refusal is not among the previous errors: %s", got.body)
			}
		})
	})
	t.Run("before an outage", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newBlindGateway(t, "a")
			g.refuses("1", seeing)
			e, _ := g.asked("2", seeing)
			e.replies("529", viaUpstream)
			e.sends(`{"type":"error","error":{"type":"overloaded_error","message":"b is busy"}}`, true)
			if got := e.refused(); got.status != 529 || got.error.Message != "b: b is busy" || !strings.Contains(got.body, "fetches no URL") {
				t.Errorf("%d: %s", got.status, got.body)
			}
		})
	})
}

// The refusal of the last candidate ends no attempt that is under way.
func TestDialectsRefusalLetsAHedgeGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBlindGateway(t, "b")
		slow, _ := g.asked("1", seeing)
		if got := g.refuses("2", seeing); got.set[headerFailover] == "" {
			t.Errorf("the client is told %s", got.body)
		}
		waiting := g.attempt("3")
		waiting.asks(seeing, true)
		waiting.quiet("the first attempt is under way")
		slow.replies("200", viaUpstream)
		slow.sends(wholeAnswer, true)
		slow.begins()
		slow.rest()
		waiting.hangUp()
		g.wantCount(1, "requests_total", "ok")
	})
}

// What cannot be read at all is the client's own mistake, whoever would be asked.
func TestRequestThatNobodyCanReadIsFinal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBlindGateway(t, "a")
		got := g.refuses("1", `{"model":"m/x","messages":[{"role":"stranger","content":"hi"}]}`)
		if got.status != 400 || got.set[headerFailover] != "" {
			t.Errorf("%d, failover %q: %s", got.status, got.set[headerFailover], got.body)
		}
	})
}

// A file that cannot be had is not fetched again for the next provider that wants it
// as bytes, and one that fetches it itself may still get it.
func TestFileThatCannotBeFetchedIsAskedForOnce(t *testing.T) {
	q := newRequests().enter("id", 1)
	pieces := []dialect.Remote{{Kind: dialect.PartImage, URL: "https://example.com/a.png"}}
	asked := 0
	fail := func([]dialect.Remote) (map[dialect.Remote]dialect.Media, error) {
		asked++
		return nil, &dialect.Error{Status: 400, Message: "not there"}
	}
	for range 2 {
		if _, err := q.media(t.Context(), pieces, fail); err == nil || err.Error() != "not there" {
			t.Errorf("error %v", err)
		}
	}
	if asked != 1 {
		t.Errorf("fetched %d times", asked)
	}
	other := append(pieces, dialect.Remote{Kind: dialect.PartImage, URL: "https://example.com/b.png"})
	if _, err := q.media(t.Context(), other[1:], fail); err == nil || asked != 2 {
		t.Errorf("another file: error %v, fetched %d times", err, asked)
	}
	q = newRequests().enter("id", 1)
	ended, cancel := context.WithCancel(t.Context())
	cut := func([]dialect.Remote) (map[dialect.Remote]dialect.Media, error) {
		cancel()
		return nil, ended.Err()
	}
	if _, err := q.media(ended, pieces, cut); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if _, err := q.media(t.Context(), pieces, fail); err == nil || err.Error() != "not there" {
		t.Errorf("an attempt that was cancelled counts for the next: %v", err)
	}
}

// What is no conversation has no neutral form that every dialect could read.
func TestTaskThatOneDialectHasNoWordsForMovesOn(t *testing.T) {
	a := &attempt{request: &dialect.Request{OutputModality: "image", Chat: func() (*dialect.Chat, error) { return nil, errors.New("none") }}}
	var failed *failure
	if err := a.unsayable(&dialect.Error{Status: 400, Message: "no"}); !errors.As(err, &failed) || failed.refusal == nil {
		t.Errorf("error %v", err)
	}
}

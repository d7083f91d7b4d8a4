package extproc

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard/switchyard/policies/health"
)

func TestHeadersAreHeldUntilTheFirstToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t)
		e, _ := g.asked("1", streamOf)
		e.streams()
		e.sends(role, false)
		time.Sleep(tokenWithin - time.Second)
		e.quiet("no token has come and a candidate is left")
		e.sends(token[:10], false)
		e.quiet("half a token has come")
		e.sends(token[10:], false)
		if got := e.begins(); got.set[":status"] != "200" || got.set["content-type"] != "text/event-stream" || !strings.HasPrefix(got.set["x-generation-id"], "gen-1700000000-") {
			t.Errorf("headers = %v", got.set)
		}
		if piece, end := e.piece(); !strings.Contains(piece, `"hi"`) || end {
			t.Errorf("first piece = %q, %t", piece, end)
		}
		e.sends(stop+counted+done, true)
		if body := e.rest(); !strings.HasSuffix(body, "data: [DONE]\n\n") || !strings.Contains(body, `"cost":`) {
			t.Errorf("the rest is %q", body)
		}
		g.wantCount(1, "requests_total", "m/x", "ok")
		g.wantCount(1, "settled_total", "m/x", "a", "ok")
		g.wantCount(costOf10And4, "cost_usd_total")
	})
}

func TestClientGetsNothingOfTheProviders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, _ := newGateway(t).asked("1", wholeOf)
		e.replies("200", viaUpstream, "content-type", "application/json", "content-length", "9", "set-cookie", "c=1", "openai-organization", "acme", "server", "cloud")
		e.sends(wholeAnswer[:30], false)
		e.quiet("half an answer is none")
		e.sends(wholeAnswer[30:], true)
		got := e.begins()
		for _, name := range []string{"set-cookie", "openai-organization", "server"} {
			if !slices.Contains(got.removed, name) {
				t.Errorf("the provider's %s stays", name)
			}
		}
		body := e.rest()
		if want := strconv.Itoa(len(body)); body == "" || got.set["content-length"] != want {
			t.Errorf("content-length %s of %s bytes", got.set["content-length"], want)
		}
	})
}

// Once the client has a token, a failure is told inside the stream.
func TestCommittedStreamEndsInBand(t *testing.T) {
	for _, test := range []struct {
		name, sends string
		end         bool
		wait        time.Duration
	}{
		{"stalled", "", false, betweenTokens},
		{"comments are no tokens", ": ping\n\n", false, betweenTokens},
		{"broken off", "", true, 0},
		{"an error event", "data: {\"error\":{\"message\":\"gone\",\"code\":500}}\n\n", false, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGateway(t)
				e, _ := g.asked("1", streamOf)
				e.streams()
				e.sends(token, false)
				e.begins()
				e.piece()
				began := time.Now()
				e.sends(test.sends, test.end)
				if body := e.rest(); !strings.Contains(body, `"finish_reason":"error"`) || !strings.Contains(body, `"error":{`) {
					t.Errorf("the stream ends with %q", body)
				}
				if waited := time.Since(began); waited != test.wait {
					t.Errorf("after %v, want %v", waited, test.wait)
				}
				g.wantCount(1, "requests_total", "m/x", "failed")
				g.wantCount(1, "settled_total", "m/x", "a", "failed")
				g.wantCount(0, "failovers_total")
				if class := g.Health.Summary("m/x|a", time.Now()).Class; class == health.None {
					t.Error("the provider counts as healthy")
				}
			})
		})
	}
}

func TestLastCandidateSendsCommentsWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, _ := newGateway(t, onlyA).asked("1", streamOf)
		e.streams()
		time.Sleep(2 * commentEvery)
		e.quiet("Envoy takes no body before it has sent some")
		e.sends(role, false)
		e.begins()
		for range 2 {
			if piece, end := e.piece(); piece != ": PROCESSING\n\n" || end {
				t.Errorf("piece = %q, %t; want a comment", piece, end)
			}
		}
		e.sends(token, false)
		if piece, _ := e.piece(); strings.Index(piece, `"role"`) < 0 || !strings.Contains(piece, `"hi"`) {
			t.Errorf("piece = %q, want what was held and the token", piece)
		}
		time.Sleep(betweenTokens - time.Second)
		e.quiet("tokens have come: comments end")
		e.sends(stop+done, true)
		e.rest()
	})
}

func TestLastCandidatesEmptyAnswerIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, onlyA)
		e, _ := g.asked("1", streamOf)
		e.streams()
		e.sends(role+stop+done, true)
		e.begins()
		if body := e.rest(); !strings.Contains(body, `"finish_reason":"stop"`) {
			t.Errorf("body = %q", body)
		}
	})
}

func TestAnswerOfAnotherDialectIsTranslated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t)
		e, got := g.asked("2", streamOf)
		if got.set[":path"] != "/v1/messages" || got.set["anthropic-version"] == "" {
			t.Errorf("headers = %v", got.set)
		}
		e.streams()
		e.sends("event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"role\":\"assistant\",\"usage\":{\"input_tokens\":10}}}\n\n", false)
		e.quiet("no token has come")
		e.sends("event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n"+
			"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"hi\"}}\n\n"+
			"event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":4}}\n\n"+
			"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n", true)
		e.begins()
		if body := e.rest(); !strings.Contains(body, `"content":"hi"`) || !strings.HasSuffix(body, "data: [DONE]\n\n") {
			t.Errorf("body = %q", body)
		}
		g.wantCount(costOf10And4, "cost_usd_total", "b")
	})
}

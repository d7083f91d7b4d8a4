package extproc

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard/switchyard/extproc/dialect/gemini"
	"github.com/switchyard/switchyard/extproc/dialect/responses"
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

// Once the client has a token, a failure is told inside the stream (known-failures 26).
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

// A client's dialect may have nothing to say for long while the provider writes: the
// provider's pace is what counts, and the client hears that the answer goes on.
func TestSlowProviderOfWhatTheClientGetsLaterIsNoStall(t *testing.T) {
	const called = "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"call_1\",\"function\":{\"name\":\"find\",\"arguments\":\"\"}}]}}]}\n\n"
	argued := func(piece string) string {
		return "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":" + strconv.Quote(piece) + "}}]}}]}\n\n"
	}
	thought := "data: {\"choices\":[{\"index\":0,\"delta\":{\"reasoning\":\"hm\"}}]}\n\n"
	const (
		geminiPath    = "/api/v1beta/models/m/x:streamGenerateContent?alt=sse"
		responsesPath = "/api/v1/responses"
	)
	for _, test := range []struct {
		name, path, ask, alive, want string
		pieces                       []string
	}{
		{
			"arguments for a Gemini client", geminiPath, `{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}`, "\n\n",
			`"functionCall":{"id":"call_1","name":"find","args":{"where":"here"}}`,
			[]string{called, argued(`{"where"`), argued(`:`), argued(`"here"`), argued(`}`)},
		},
		{
			"hidden reasoning for a Responses client", responsesPath, `{"model":"m/x","stream":true,"input":"hi","reasoning":{"exclude":true}}`, "\n:",
			`"delta":"hi"`, []string{thought, thought, thought, token},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGateway(t, onlyA)
				g.Clients["/api/v1beta/models/"] = gemini.Client{}
				g.Clients[responsesPath] = responses.Client{}
				e := g.attempt("1", ":path", test.path)
				e.asks(test.ask, true)
				e.forwarded()
				e.streams()
				for _, piece := range test.pieces {
					time.Sleep(betweenTokens - time.Second)
					e.sends(piece, false)
				}
				e.sends(stop+counted+done, true)
				e.begins()
				body := e.rest()
				before, _, found := strings.Cut(body, test.want)
				if !found || strings.Contains(body, `"error":{`) {
					t.Errorf("body = %s", body)
				}
				if alive := strings.Count(before, test.alive); alive < len(test.pieces)-1 {
					t.Errorf("the client heard %d times that the answer goes on: %q", alive, body)
				}
				g.wantCount(1, "requests_total", "m/x", "ok")
			})
		})
	}
}

// Known-failures 27: neither heartbeats nor a last word that does not come keep a stream
// open.
func TestHeartbeatsKeepNoStreamOpen(t *testing.T) {
	for _, test := range []struct{ name, last, heartbeat, want string }{
		{"in the middle", token, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\"}}]}\n\n", `"finish_reason":"error"`},
		{"behind the end", token + stop, "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":null}]}\n\n", `"finish_reason":"stop"`},
		{"the end again", token + stop, stop, `"finish_reason":"stop"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e, _ := newGateway(t, onlyA).asked("1", streamOf)
				e.streams()
				began := time.Now()
				e.sends(test.last, false)
				go func() {
					for range 60 { // a stream that they keep open ends at last
						time.Sleep(time.Second)
						e.sends(test.heartbeat, false)
					}
				}()
				defer time.Sleep(time.Minute)
				e.begins()
				body := e.rest()
				if !strings.Contains(body, test.want) || !strings.HasSuffix(body, done) {
					t.Errorf("body = %s", body)
				}
				if took := time.Since(began); took > betweenTokens+lastBytes {
					t.Errorf("the stream stayed open for %v", took)
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

package extproc

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestSection24ToolCallsAreCounted holds what the statistics are told of an answer's
// calls, passed through and translated.
func TestSection24ToolCallsAreCounted(t *testing.T) {
	const asks = `{"model":"m/x","stream":%t,"messages":[{"role":"user","content":"hi"}],"tools":[
		{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}}}]}`
	first := `{"id":"u","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"x","type":"function","function":{"name":"f","arguments":"{\"n\":"}}]}}]}`
	rest := `{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"1}"}},{"index":1,"id":"y","function":{"name":"f","arguments":"{}"}}]}}]}`
	ends := func(reason string) string {
		return "data: " + first + "\n\ndata: " + rest + "\n\ndata: " + fmt.Sprintf(`{"choices":[{"index":0,"delta":{},"finish_reason":%q}]}`, reason) + "\n\ndata: [DONE]\n\n"
	}
	whole := `{"id":"u","choices":[{"index":0,"finish_reason":"tool_calls","message":{"content":null,"tool_calls":[
		{"id":"x","type":"function","function":{"name":"f","arguments":"{\"n\":1}"}},{"id":"y","function":{"name":"g","arguments":"{}"}}]}}]}`
	messages := "data: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"role\":\"assistant\",\"usage\":{\"input_tokens\":10}}}\n\n" +
		"data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"tool_use\",\"id\":\"x\",\"name\":\"f\",\"input\":{}}}\n\n" +
		"data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{\\\"n\\\":true}\"}}\n\n" +
		"data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"},\"usage\":{\"output_tokens\":4}}\n\n" +
		"data: {\"type\":\"message_stop\"}\n\n"
	for _, test := range []struct {
		name, number, answer string
		streams              bool
		calls                int64
		success              float64
	}{
		{name: "streamed", number: "1", answer: ends("tool_calls"), streams: true, calls: 2, success: 0.5},
		{name: "whole", number: "1", answer: whole, calls: 2, success: 0.5},
		{name: "translated", number: "2", answer: messages, streams: true, calls: 1, success: 0},
		{name: "cut by the client's own bound", number: "1", answer: ends("length"), streams: true},
		{name: "broken off by the provider", number: "1", answer: "data: " + first + "\n\n", streams: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGateway(t)
				e, _ := g.asked(test.number, fmt.Sprintf(asks, test.streams))
				if test.streams {
					e.streams()
				} else {
					e.replies("200", viaUpstream, "content-type", "application/json")
				}
				e.sends(test.answer, true)
				e.begins()
				e.rest()
				synctest.Wait()
				endpoint := map[string]string{"1": "m/x|a", "2": "m/x|b"}[test.number]
				if s := g.Health.Summary(endpoint, time.Now()); s.ToolCalls != test.calls || s.ToolSuccess != test.success {
					t.Errorf("%d calls, of which %v succeed; want %d and %v", s.ToolCalls, s.ToolSuccess, test.calls, test.success)
				}
			})
		})
	}
}

// What a guardrail makes of a call is not held against its provider.
func TestSection24RedactedToolCallsAreTheProvidersOwn(t *testing.T) {
	const (
		tools = `{"model":"m/x","tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}}}],`
		calls = `{"choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"n\":4711}"}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":10,"completion_tokens":4}}`
	)
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, onlyA, guarding(t, filterOf("4711", redacted, "[NUMBER]", outward)))
		e, _ := g.asked("1", strings.Replace(wholeOf, `{"model":"m/x",`, tools, 1))
		e.replies("200", viaUpstream, "content-type", "application/json")
		e.sends(calls, true)
		e.begins()
		if got := e.rest(); !strings.Contains(got, "[NUMBER]") {
			t.Errorf("the client gets %s", got)
		}
		synctest.Wait()
		if s := g.Health.Summary("m/x|a", time.Now()); s.ToolCalls != 1 || s.ToolSuccess != 1 {
			t.Errorf("%d calls, of which %v succeed", s.ToolCalls, s.ToolSuccess)
		}
	})
}

package dialect_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/anthropic"
	"github.com/switchyard/switchyard/extproc/dialect/gemini"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/extproc/dialect/responses"
	"github.com/switchyard/switchyard/extproc/sse"
)

// calling is an answer of Chat Completions that calls a tool, whole and as a stream.
func calling(arguments, finish string) (whole string, chunks []string) {
	call := `{"id":"t1","type":"function","function":{"name":"f","arguments":` + strconv.Quote(arguments) + `}}`
	whole = `{"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":"so","tool_calls":[` + call + `]},"finish_reason":"` + finish + `"}]}`
	return whole, []string{
		`{"id":"x","choices":[{"index":0,"delta":{"content":"so","tool_calls":[{"index":0,` + call[1:] + `]}}]}`,
		`{"id":"x","choices":[{"index":0,"delta":{},"finish_reason":"` + finish + `"}]}`,
		`[DONE]`,
	}
}

// A client whose dialect has objects for arguments is not told that a broken call is one
// without arguments: the answer fails, which before its first byte is another provider's
// turn. One that a bound cut ends as its vendor's own do.
func TestBrokenCallsAreNoCalls(t *testing.T) {
	meta := dialect.Meta{ID: "gen-1-abc", Price: func(dialect.Usage) dialect.Cost { return dialect.Cost{Total: "0", Prompt: "0", Completion: "0"} }}
	for _, test := range []struct {
		name, arguments, finish string
		fails                   bool
	}{
		{"cut", `{"city": "Pa`, "tool_calls", true},
		{"no object", `["Paris"]`, "stop", true},
		{"a bound", `{"city": "Pa`, "length", false},
		{"none", ``, "tool_calls", false},
		{"null", `null`, "tool_calls", false},
		{"well", ` {"city":"Paris"}`, "tool_calls", false},
	} {
		for name, client := range map[string]dialect.Client{"messages": anthropic.Client{}, "gemini": gemini.Client{}, "chat": openai.Client{}, "responses": responses.Client{}} {
			t.Run(name+" "+test.name, func(t *testing.T) {
				text := name == "chat" || name == "responses"
				whole, chunks := calling(test.arguments, test.finish)
				judge := func(how, out string, err error) {
					t.Helper()
					var failed *dialect.ProviderFailure
					if want := test.fails && !text; errors.As(err, &failed) != want || err != nil && failed.Status != 502 {
						t.Fatalf("%s: %v\n%s", how, err, out)
					}
					if text || err != nil {
						return
					}
					if test.finish == "length" {
						if strings.Contains(out, `"functionCall"`) || how != "stream" && strings.Contains(out, `"tool_use"`) {
							t.Errorf("%s: a call that was cut: %s", how, out)
						}
						if !strings.Contains(out, "max_tokens") && !strings.Contains(out, "MAX_TOKENS") {
							t.Errorf("%s: no bound: %s", how, out)
						}
					} else if !strings.Contains(out, `"f"`) {
						t.Errorf("%s: no call: %s", how, out)
					}
				}
				request := &dialect.Request{}
				out, err := dialect.NewTranslation(openai.Provider{}.Decoder(), client.Encoder(meta), request).Whole(nil, []byte(whole))
				judge("whole", string(out), err)

				pipe := dialect.NewTranslation(openai.Provider{}.Decoder(), client.Encoder(meta), &dialect.Request{Stream: true})
				out, err = nil, nil
				for _, chunk := range chunks {
					if out, err = pipe.Event(out, sse.Event{Data: []byte(chunk)}); err != nil {
						break
					}
				}
				if err == nil {
					out = pipe.Finish(out)
				}
				judge("stream", string(out), err)
			})
		}
	}
}

// Which choice ends is told from which choice still speaks.
func TestChoicesEndOnTheirOwn(t *testing.T) {
	pipe := dialect.NewTranslation(openai.Provider{}.Decoder(), gemini.Client{}.Encoder(dialect.Meta{}), &dialect.Request{Stream: true})
	for _, chunk := range []string{
		`{"choices":[{"index":1,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\""}}]}}]}`,
		`{"choices":[{"index":0,"delta":{"content":"so"},"finish_reason":"stop"}]}`,
		`{"choices":[{"index":1,"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]},"finish_reason":"tool_calls"}]}`,
	} {
		if _, err := pipe.Event(nil, sse.Event{Data: []byte(chunk)}); err != nil {
			t.Fatalf("%s: %v", chunk, err)
		}
	}
}

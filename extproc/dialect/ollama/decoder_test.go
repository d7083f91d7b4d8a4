package ollama

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/extproc/sse"
)

// decode reads a stream's lines.
func decode(lines string) ([]dialect.Event, error) {
	decoder := Provider{}.Decoder()
	var all []dialect.Event
	for line := range strings.Lines(lines) {
		events, err := decoder.Event(sse.Event{Data: []byte(line)})
		if err != nil {
			return all, err
		}
		all = append(all, events...)
	}
	return all, nil
}

func TestStream(t *testing.T) {
	start, end := dialect.Event{Kind: dialect.EventStart, Text: "t"}, dialect.Event{Kind: dialect.EventDone}
	text := func(text string) dialect.Event { return dialect.Event{Kind: dialect.EventText, Text: text} }
	thought := func(text string, index int) dialect.Event {
		return dialect.Event{Kind: dialect.EventReasoning, Reasoning: dialect.ReasoningDetail{
			Type: dialect.ReasoningText, Text: text, Format: dialect.FormatUnknown, Index: index}}
	}
	finish := func(native, reason string) dialect.Event {
		return dialect.Event{Kind: dialect.EventFinish, Text: native, Reason: reason}
	}
	usage := func(prompt, completion int64) dialect.Event {
		return dialect.Event{Kind: dialect.EventUsage, Usage: dialect.Usage{Prompt: prompt, Completion: completion}}
	}
	const last = `{"created_at":"t","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":26,"eval_count":3}`
	for _, test := range []struct {
		name, lines string
		want        []dialect.Event
	}{
		{"thoughts, text and the end", `{"created_at":"t","message":{"role":"assistant","content":"","thinking":"h"},"done":false}
{"created_at":"u","message":{"role":"assistant","content":"","thinking":"m"},"done":false}
{"created_at":"u","message":{"role":"assistant","content":"A"},"done":false}
` + last, []dialect.Event{start, thought("h", 0), thought("m", 0), text("A"), usage(26, 3), finish("stop", ""), end}},
		{"row 92: calls, which come whole", `{"created_at":"t","message":{"role":"assistant","content":"","tool_calls":[{"id":"x","function":{"index":0,"name":"f","arguments":{"a": [1, 2.0]}}}]},"done":false}
{"created_at":"u","message":{"content":"","tool_calls":[{"id":"y","function":{"name":"g"}}]},"done":false}
` + last, []dialect.Event{start,
			{Kind: dialect.EventToolCall, ID: "x", Text: "f"}, {Kind: dialect.EventToolArguments, Text: `{"a":[1,2.0]}`},
			{Kind: dialect.EventToolCall, Index: 1, ID: "y", Text: "g"}, {Kind: dialect.EventToolArguments, Index: 1, Text: `{}`},
			usage(26, 3), finish("stop", "tool_calls"), end}},
		{"row 4: the bound", `{"created_at":"t","message":{"content":"A"},"done":true,"done_reason":"length"}`,
			[]dialect.Event{start, text("A"), finish("length", ""), end}},
		{"an older server's end", `{"created_at":"t","message":{"content":""},"done":true}`, []dialect.Event{start, finish("stop", ""), end}},
		{"logprobs, in the form of Chat Completions", `{"created_at":"t","message":{"content":"A"},"logprobs":[{"token":"A","logprob":-0.5,"bytes":[65],"top_logprobs":[]}],"done":false}`,
			[]dialect.Event{start, text("A"), {Kind: dialect.EventLogprobs, Raw: []byte(`{"content":[{"token":"A","logprob":-0.5,"bytes":[65],"top_logprobs":[]}],"refusal":null}`)}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := decode(test.lines)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// An error may come where a line of an answer should be, at its start or behind text.
func TestErrors(t *testing.T) {
	for _, before := range []string{"", `{"created_at":"t","message":{"content":"A"},"done":false}` + "\n"} {
		var failure *dialect.ProviderFailure
		if _, err := decode(before + `{"error":"an error was encountered while running the model"}`); !errors.As(err, &failure) ||
			failure.Status != 502 || !strings.Contains(failure.Message, "running the model") {
			t.Errorf("%v", err)
		}
	}
	for _, line := range []string{`{}`, `7`, `{"message":"x"}`, `{"mess`} {
		if _, err := decode(line); err == nil {
			t.Errorf("%s passed", line)
		}
	}
	if got := (Provider{}).Failure(404, []byte(`{"error":"model 'x' not found"}`)); got.Status != 404 || got.Message != "model 'x' not found" {
		t.Errorf("%+v", got)
	}
}

// Older servers give calls no ids: each gets one, the same whenever it is read.
func TestCallIDs(t *testing.T) {
	const answer = `{"created_at":"t","message":{"content":"","tool_calls":[{"function":{"name":"f","arguments":{}}},{"function":{"name":"f","arguments":{}}}]},"done":true}`
	seen := map[string]bool{}
	for range 2 {
		events, err := Provider{}.Decoder().Whole([]byte(answer))
		if err != nil {
			t.Fatal(err)
		}
		for _, event := range events {
			if event.Kind == dialect.EventToolCall {
				seen[event.ID] = true
			}
		}
	}
	if len(seen) != 2 || seen[""] {
		t.Errorf("the ids of two calls, read twice, are %v", seen)
	}
}

func TestRow145Vectors(t *testing.T) {
	for answer, want := range map[string]string{
		`{"model":"m","embeddings":[[0.5,1e-3],[1,2]],"prompt_eval_count":4}`: `"data":[{"object":"embedding","index":0,"embedding":[0.5,1e-3]},{"object":"embedding","index":1,"embedding":[1,2]}],"usage":{"prompt_tokens":4,`,
		`{"model":"m","embeddings":[[1]]}`:                                    "1 embeddings for 2 inputs",
		`{"model":"m","embeddings":[]}`:                                       "0 embeddings for 2 inputs",
		`{"error":"this model does not support embeddings"}`:                  "does not support embeddings",
	} {
		request, err := openai.Embeddings{}.Parse([]byte(`{"input":["a","b"]}`))
		if err != nil {
			t.Fatal(err)
		}
		out, err := dialect.NewPipe(openai.Embeddings{}, Provider{}, request, dialect.Meta{}).Whole(nil, []byte(answer))
		if err != nil {
			out = []byte(err.Error())
		} else if !json.Valid(out) {
			t.Errorf("a client cannot read %s", out)
		}
		if !strings.Contains(string(out), want) {
			t.Errorf("%s is missing in %s", want, out)
		}
	}
}

package openai

import (
	"errors"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/sse"
)

func TestCompletionsRequests(t *testing.T) {
	const said = `"messages":[{"role":"user","content":"hi"}]`
	for _, test := range []struct{ name, body, want string }{
		{"row 148", `{"model":"m/x","prompt":"hi"}`, `{"model":"up",` + said + `}`},
		{"a list of one", `{"prompt":["hi"]}`, `{"model":"up",` + said + `}`},
		{"members that conversations have too", `{"prompt":"hi","max_tokens":5,"stop":["a"],"n":2,"seed":1}`,
			`{"model":"up",` + said + `,"max_tokens":5,"stop":["a"],"n":2,"seed":1}`},
		{"log probabilities", `{"prompt":"hi","logprobs":3}`, `{"model":"up",` + said + `,"logprobs":true,"top_logprobs":3}`},
		{"old members that ask for nothing", `{"prompt":"hi","best_of":1,"echo":false,"suffix":"","tools":[],"logprobs":null}`, `{"model":"up",` + said + `}`},
		{"a conversation", `{` + said + `,"logprobs":true}`, `{"model":"up",` + said + `,"logprobs":true}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			request, err := Completions{}.Parse([]byte(test.body))
			if err != nil {
				t.Fatal(err)
			}
			got, err := Provider{}.Request(request, dialect.Target{Model: "up", Strict: true})
			if err != nil || got.Path != "/chat/completions" || string(got.Body) != test.want {
				t.Errorf("%v, %s: got %s, want %s", err, got.Path, got.Body, test.want)
			}
		})
	}
}

func TestCompletionsRefusals(t *testing.T) {
	for body, words := range map[string]string{
		`{"model":"m/x"}`:                 `specify "prompt" or "messages"`,
		`{"prompt":"a","messages":[]}`:    "not both",
		`{"prompt":[]}`:                   "at least 1 token",
		`{"prompt":[1,2]}`:                "'prompt' must be text",
		`{"prompt":[[1,2]]}`:              "'prompt' must be text",
		`{"prompt":["a","b"]}`:            "'prompt' must be one string",
		`{"prompt":5}`:                    "'prompt' must be a string",
		`{"prompt":"a","best_of":2}`:      "'best_of'",
		`{"prompt":"a","echo":true}`:      "'echo'",
		`{"prompt":"a","suffix":"b"}`:     "'suffix'",
		`{"prompt":"a","tools":[{}]}`:     "'tools'",
		`{"prompt":"a","logprobs":"all"}`: "'logprobs' must be true or false",
		`{"prompt":"a","logprobs":21}`:    "'top_logprobs' must be between 0 and 20",
		`{"prompt":"a","temperature":3}`:  "'temperature' must be between 0 and 2",
		`{"prompt":"a"`:                   "not valid JSON",
	} {
		refused(t, Completions{}, body, words)
	}
}

// completing pipes answers of a Chat Completions provider.
func completing(t testing.TB, fields string) dialect.Pipe {
	t.Helper()
	request, err := Completions{}.Parse([]byte(`{"prompt":"hi"` + fields + `}`))
	if err != nil {
		t.Fatal(err)
	}
	return dialect.NewPipe(Completions{}, Provider{}, request, meta)
}

func TestRow148WholeCompletions(t *testing.T) {
	const opened = `{"id":"gen-1-abc","provider":"A","model":"m/x","object":"text_completion","created":5,"system_fingerprint":null,"choices":[`
	for _, test := range []struct{ name, answer, want string }{
		{"text", `{"choices":[{"message":{"content":"one"},"finish_reason":"stop"}]}`,
			`{"index":0,"text":"one","logprobs":null,"finish_reason":"stop","native_finish_reason":"stop"}]`},
		{"two choices and a refusal", `{"choices":[{"index":0,"message":{"content":"a"},"finish_reason":"length"},{"index":1,"message":{"refusal":"no"},"finish_reason":"stop"}]}`,
			`{"index":0,"text":"a","logprobs":null,"finish_reason":"length","native_finish_reason":"length"},` +
				`{"index":1,"text":"no","logprobs":null,"finish_reason":"stop","native_finish_reason":"stop"}]`},
		{"reasoning", `{"choices":[{"message":{"content":"a","reasoning_content":"hm"},"finish_reason":"stop"}]}`,
			`{"index":0,"text":"a","reasoning":"hm","logprobs":null,"finish_reason":"stop","native_finish_reason":"stop"}]`},
		{"log probabilities", `{"choices":[{"message":{"content":"é b"},"logprobs":{"content":[
			{"token":"é","logprob":-0.5,"top_logprobs":[{"token":"é","logprob":-0.5},{"token":"e","logprob":-2},{"token":"e","logprob":-3}]},
			{"token":" b","logprob":-1,"top_logprobs":[]}]},"finish_reason":"stop"}]}`,
			`{"index":0,"text":"é b","logprobs":{"tokens":["é"," b"],"token_logprobs":[-0.5,-1],"top_logprobs":[{"é":-0.5,"e":-2},{}],"text_offset":[0,1]},` +
				`"finish_reason":"stop","native_finish_reason":"stop"}]`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := completing(t, "").Whole(nil, []byte(test.answer))
			if err != nil || !strings.HasPrefix(string(got), opened+test.want+`,"usage":{`) {
				t.Errorf("%v\ngot  %s\nwant %s", err, got, opened+test.want)
			}
		})
	}
}

func TestRow148StreamedCompletions(t *testing.T) {
	const chunk = `data: {"id":"gen-1-abc","provider":"A","model":"m/x","object":"text_completion","created":5,"choices":[{"index":0,`
	const open = `"finish_reason":null,"native_finish_reason":null}`
	const stream = `data: {"choices":[{"delta":{"content":"é\n"},"logprobs":{"content":[{"token":"é\n","logprob":-1}]}}]}

data: {"choices":[{"delta":{"reasoning":"hm"}}]}

data: {"choices":[{"delta":{"content":"b"},"logprobs":{"content":[{"token":"b","logprob":-2}]},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}

data: [DONE]

`
	want := []string{
		chunk + `"text":"é\n","logprobs":null,` + open + `]}`,
		chunk + `"text":"","logprobs":{"tokens":["é\n"],"token_logprobs":[-1],"top_logprobs":[{}],"text_offset":[0]},` + open + `]}`,
		chunk + `"text":"","reasoning":"hm","logprobs":null,` + open + `]}`,
		chunk + `"text":"b","logprobs":null,` + open + `]}`,
		chunk + `"text":"","logprobs":{"tokens":["b"],"token_logprobs":[-2],"top_logprobs":[{}],"text_offset":[2]},` + open + `]}`,
		chunk + `"text":"","logprobs":null,"finish_reason":"stop","native_finish_reason":"stop"}]}`,
		chunk + `"text":"","logprobs":null,` + open + `],"usage":{"prompt_tokens":1,"completion_tokens":2`,
		"data: [DONE]",
	}
	for size := 1; size < len(stream); size += 7 {
		pipe := completing(t, `,"stream":true`)
		got := strings.Split(strings.TrimSuffix(string(feed(t, pipe, stream, size)), "\n\n"), "\n\n")
		if len(got) != len(want) {
			t.Fatalf("in pieces of %d: %d events, want %d:\n%s", size, len(got), len(want), strings.Join(got, "\n"))
		}
		for i := range want {
			if !strings.HasPrefix(got[i], want[i]) {
				t.Errorf("in pieces of %d, event %d\ngot  %s\nwant %s", size, i, got[i], want[i])
			}
		}
	}
}

// feed carries a stream through a pipe in pieces of size bytes.
func feed(t testing.TB, pipe dialect.Pipe, stream string, size int) []byte {
	t.Helper()
	var reader sse.Reader
	var out []byte
	for stream != "" {
		reader.Feed([]byte(stream[:min(size, len(stream))]))
		stream = stream[min(size, len(stream)):]
		for {
			event, ok, err := reader.Next()
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			if out, err = pipe.Event(out, event); err != nil {
				t.Fatal(err)
			}
		}
	}
	return pipe.Finish(out)
}

func TestStreamedCompletionsThatFail(t *testing.T) {
	got := string(completing(t, `,"stream":true`).Fail(nil, &dialect.Error{Status: 502, Message: "x"}))
	for _, want := range []string{`"text":""`, `"finish_reason":"error"`, `"error":{"code":502,"message":"x"}`, done} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing in %s", want, got)
		}
	}
	if whole := string(Completions{}.Error(&dialect.Error{Status: 400, Message: "x"})); whole != `{"error":{"code":400,"message":"x"}}` {
		t.Errorf("a whole error is %s", whole)
	}
}

func FuzzCompletions(f *testing.F) {
	f.Add([]byte(`{"prompt":"a","logprobs":1,"stream":true}`), []byte(`{"choices":[{"message":{"content":"a"},"logprobs":{"content":[{"token":"a","logprob":-1,"top_logprobs":[{"token":"\ud800","logprob":0}]}]}}]}`))
	f.Add([]byte(`{"prompt":["a"],"suffix":null,"n":2}`), []byte(`{"choices":[{"message":{"refusal":"a","reasoning":"b","tool_calls":[{"function":{"name":"f"}}]}}]}`))
	f.Fuzz(func(t *testing.T, body, answer []byte) {
		request, err := Completions{}.Parse(body)
		if err != nil {
			var failure *dialect.Error
			if !errors.As(err, &failure) || failure.Message == "" {
				t.Fatalf("not an error for a client: %v", err)
			}
			return
		}
		if _, err := (Client{}).Parse(request.Raw); err != nil {
			t.Errorf("%s became %s, which is no conversation: %v", body, request.Raw, err)
		}
		pipe := dialect.NewPipe(Completions{}, Provider{}, request, routed)
		if out, err := pipe.Whole(nil, answer); err == nil {
			readable(t, string(out), request.Stream)
		}
	})
}

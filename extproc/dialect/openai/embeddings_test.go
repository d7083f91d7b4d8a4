package openai

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// doing parses a task's request and returns it with a pipe for its answer.
func doing(t testing.TB, client dialect.Client, body string) (*dialect.Request, dialect.Pipe) {
	t.Helper()
	request, err := client.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return request, dialect.NewPipe(client, Provider{}, request, meta)
}

// refused fails unless a client's request is answered 400 with these words.
func refused(t *testing.T, client dialect.Client, body, words string) {
	t.Helper()
	_, err := client.Parse([]byte(body))
	var failure *dialect.Error
	if !errors.As(err, &failure) || failure.Status != 400 || !strings.Contains(failure.Message, words) {
		t.Errorf("%s: %v, want %q", body, err, words)
	}
}

func TestEmbeddingsRequests(t *testing.T) {
	for _, test := range []struct {
		name, body, want string
		dropped          []string
	}{
		{"row 145: texts", `{"model":"e/x","input":["a","b"]}`, `{"model":"up","input":["a","b"]}`, nil},
		{"a form, and numbers as they stand", `{"input": "a\u00e9", "encoding_format":"base64","dimensions":2.0}`,
			`{"model":"up","input": "a\u00e9","encoding_format":"base64","dimensions":2.0}`, nil},
		{"tokens", `{"input":[1,2]}`, `{"model":"up","input":[1,2]}`, nil},
		{"fields for the gateway", `{"model":"e/x","models":["e/y"],"provider":{"order":["a"]},"session_id":"s","trace":{},"input":"a","dimensions":null}`,
			`{"model":"up","input":"a"}`, nil},
		{"what OpenAI does not define", `{"input":"a","input_type":"query"}`, `{"model":"up","input":"a"}`, []string{"input_type"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			request, _ := doing(t, Embeddings{}, test.body)
			if request.OutputModality != "embeddings" {
				t.Errorf("the output is %q", request.OutputModality)
			}
			got, err := Provider{}.Request(request, dialect.Target{Model: "up", Strict: true})
			if err != nil || got.Path != "/embeddings" || string(got.Body) != test.want {
				t.Errorf("%v, %s: got %s, want %s", err, got.Path, got.Body, test.want)
			}
			if diff := cmp.Diff(test.dropped, got.Dropped); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEmbeddingsFieldsThatAProviderRefuses(t *testing.T) {
	request, _ := doing(t, Embeddings{}, `{"input":"a","encoding_format":"base64","input_type":"query","user":"bob@example.com"}`)
	got, err := Provider{}.Request(request, dialect.Target{Model: "up", Refused: []string{"encoding_format"}})
	if want := `{"model":"up","input":"a","input_type":"query","user":"` + dialect.EndUser("bob@example.com") + `"}`; err != nil || string(got.Body) != want {
		t.Errorf("%v: got %s, want %s", err, got.Body, want)
	}
}

func TestEmbeddingsRefusals(t *testing.T) {
	for body, words := range map[string]string{
		`{"model":"e/x"}`:             `specify "input"`,
		`{"input":""}`:                "at least 1 token",
		`{"input":[]}`:                "at least 1 token",
		`{"input":[[]]}`:              "at least 1 token",
		`{"input":5}`:                 "'input' must be a string or an array",
		`{"input":["a",1]}`:           "'input.1' must be of the same kind",
		`{"input":[1,-1]}`:            "'input.1' must be a token",
		`{"input":[[1,"a"]]}`:         "'input.0' must be a token",
		`{"input":[true]}`:            "'input.0' must be",
		`{"input":[{"content":"a"}]}`: "'input.0.content' must be an array",
		`{"input":[{"content":[{"type":"smell"}]}]}`: "'input.0.content'",
		`{"input":"a","dimensions":0}`:               "'dimensions' must be at least 1",
		`{"input":"a","dimensions":"2"}`:             "'dimensions' must be a whole number",
		`{"input":"a","encoding_format":"int8"}`:     "'encoding_format'",
		`{"input":"a","provider":"azure"}`:           "'provider' must be an object",
		`{"input":"a"`:                               "not valid JSON",
	} {
		refused(t, Embeddings{}, body, words)
	}
}

func TestEmbeddingsPolicyReads(t *testing.T) {
	request, _ := doing(t, Embeddings{}, `{"model":"e/x","models":["e/y"],"provider":{"order":["a"]},"session_id":"s","user":"u",
		"input":[{"content":[{"type":"text","text":"abcd"},{"type":"image_url","image_url":{"url":"https://a/b.png"}}]}]}`)
	if request.Model != "e/x" || len(request.Models) != 1 || string(request.Provider) != `{"order":["a"]}` || request.SessionID != "s" ||
		request.User != "u" || request.PromptBytes != 4 || fmt.Sprint(request.InputModalities) != "[image]" || request.Stream {
		t.Errorf("%+v", request)
	}
	if tokens, _ := doing(t, Embeddings{}, `{"input":[[1,2],[3]]}`); tokens.PromptBytes != 3*bytesOfToken {
		t.Errorf("three tokens count as %d bytes", tokens.PromptBytes)
	}
	one, _ := doing(t, Embeddings{}, `{"input":"a"}`)
	two, _ := doing(t, Embeddings{}, `{"input":"b"}`)
	if one.Conversation == two.Conversation {
		t.Error("other inputs are the same conversation")
	}
}

// answered is the answer that a client gets, without its head.
const answered = `{"id":"gen-1-abc","provider":"A","model":"m/x",`

const free = `"cost":0,"is_byok":false,"cost_details":{"upstream_inference_cost":0,"upstream_inference_prompt_cost":0,"upstream_inference_completions_cost":0}}`

func TestEmbeddingsAnswers(t *testing.T) {
	const pair = `[{"object":"embedding","index":0,"embedding":[0.5,-1e-3]},{"object":"embedding","index":1,"embedding":[1,2]}]`
	two := `{"input":["a","b"]}`
	for _, test := range []struct{ name, request, answer, want string }{
		{"row 145: numbers as they stand", two, `{"object":"list","model":"up","data":` + pair + `,"usage":{"prompt_tokens":8,"total_tokens":8}}`,
			answered + `"object":"list","data":` + pair + `,"usage":{"prompt_tokens":8,"total_tokens":8,` + free + `}`},
		{"row 145: base64 as it stands", `{"input":"a","encoding_format":"base64"}`, `{"data":[{"embedding":"AACAPw=="}],"usage":{"total_tokens":3}}`,
			answered + `"object":"list","data":[{"object":"embedding","index":0,"embedding":"AACAPw=="}],"usage":{"prompt_tokens":3,"total_tokens":3,` + free + `}`},
		{"base64 of a provider that knows numbers only", `{"input":"a","encoding_format":"base64"}`, `{"data":[{"embedding":[1, 0.5]}]}`,
			answered + `"object":"list","data":[{"object":"embedding","index":0,"embedding":"AACAPwAAAD8="}],"usage":{"prompt_tokens":1,"total_tokens":1,` + free + `}`},
		{"numbers of a provider that gives base64", `{"input":"a"}`, `{"data":[{"embedding":"AACAPwAAAD8="}],"usage":{"prompt_tokens":2}}`,
			answered + `"object":"list","data":[{"object":"embedding","index":0,"embedding":[1,0.5]}],"usage":{"prompt_tokens":2,"total_tokens":2,` + free + `}`},
		{"tokens are one input", `{"input":[1,2,3]}`, `{"data":[{"embedding":[1]}]}`,
			answered + `"object":"list","data":[{"object":"embedding","index":0,"embedding":[1]}],"usage":{"prompt_tokens":3,"total_tokens":3,` + free + `}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, pipe := doing(t, Embeddings{}, test.request)
			got, err := pipe.Whole(nil, []byte(test.answer))
			if err != nil || string(got) != test.want {
				t.Errorf("%v\ngot  %s\nwant %s", err, got, test.want)
			}
			if progress := pipe.Progress(); !progress.Started || !progress.Done || progress.Empty {
				t.Errorf("progress is %+v", progress)
			}
		})
	}
}

// TestEmbeddingsThatAreNone holds that what is no answer moves on to the next provider.
func TestEmbeddingsThatAreNone(t *testing.T) {
	for answer, words := range map[string]string{
		`{"data":[{"embedding":[1]}]}`: "1 embeddings for 2 inputs",
		`{"data":[]}`:                  "0 embeddings for 2 inputs",
		`{}`:                           "0 embeddings for 2 inputs",
		`{"data":[{"embedding":[]},{"embedding":[1]}]}`:         "without a vector",
		`{"data":[{},{"embedding":[1]}]}`:                       "without a vector",
		`{"data":[{"embedding":"AAA="},{"embedding":[1]}]}`:     "without a vector",
		`{"data":[{"embedding":"AADAfw=="},{"embedding":[1]}]}`: "without a vector", // not a number
		`{"error":{"message":"overloaded","code":503}}`:         "overloaded",
		`{"detail":"no such model"}`:                            "no such model",
		`{"data":[{"embedding":[1`:                              "the provider's answer",
	} {
		_, pipe := doing(t, Embeddings{}, `{"input":["a","b"]}`)
		if got, err := pipe.Whole([]byte("x"), []byte(answer)); err == nil || !strings.Contains(err.Error(), words) || string(got) != "x" {
			t.Errorf("%s: %v and %s, want %q", answer, err, got, words)
		}
		if pipe.Progress().Done {
			t.Errorf("%s counts as an answer", answer)
		}
	}
}

// TestTasksHaveNoConversation holds that a provider of another dialect gets nothing.
func TestTasksHaveNoConversation(t *testing.T) {
	request, _ := doing(t, Embeddings{}, `{"input":"a"}`)
	var failure *dialect.Error
	if _, err := request.Chat(); !errors.As(err, &failure) || failure.Status != 400 {
		t.Errorf("got %v", err)
	}
}

func TestPresetOfATask(t *testing.T) {
	preset := dialect.Preset{SystemPrompt: "be brief", Config: []byte(`{"model":"e/x","temperature":1,"tools":[],"provider":{"sort":"price"}}`)}
	for _, test := range []struct {
		client     dialect.Presetter
		body, want string
	}{
		{Embeddings{}, `{"model":"@preset/p","input":"a"}`, `{"model":"e/x","input":"a","provider":{"sort":"price"}}`},
		{Rerank{}, `{"preset":"p","query":"q","documents":["a"]}`, `{"preset":"p","query":"q","documents":["a"],"model":"e/x","provider":{"sort":"price"}}`},
		{Completions{}, `{"model":"@preset/p","prompt":"a","temperature":0}`,
			`{"model":"e/x","messages":[{"role":"system","content":"be brief"},{"role":"user","content":"a"}],"temperature":0,"tools":[],"provider":{"sort":"price"}}`},
	} {
		got, err := test.client.WithPreset([]byte(test.body), preset)
		if err != nil || string(got) != test.want {
			t.Errorf("%v\ngot  %s\nwant %s", err, got, test.want)
		}
		if _, err := test.client.(dialect.Client).Parse(got); err != nil {
			t.Errorf("%s is not read: %v", got, err)
		}
	}
}

func FuzzEmbeddings(f *testing.F) {
	f.Add([]byte(`{"input":["a","b"],"encoding_format":"base64"}`), []byte(`{"data":[{"embedding":[1,2]},{"index":1,"embedding":"AACAPw=="}],"usage":{"total_tokens":1}}`))
	f.Add([]byte(`{"input":[[1,2]],"dimensions":3,"user":"u"}`), []byte(`{"data":[{"embedding":"AACAPw=="}]}`))
	f.Add([]byte(`{"input":[{"content":[{"type":"text","text":"a"}]}]}`), []byte(`{"error":"x"}`))
	f.Fuzz(func(t *testing.T, body, answer []byte) { fuzzTask(t, Embeddings{}, body, answer) })
}

// fuzzTask holds that whatever is accepted is readable on the other side.
func fuzzTask(t *testing.T, client dialect.Client, body, answer []byte) {
	request, err := client.Parse(body)
	if err != nil {
		var failure *dialect.Error
		if !errors.As(err, &failure) || failure.Message == "" {
			t.Fatalf("not an error for a client: %v", err)
		}
		return
	}
	before := string(request.Raw)
	for _, target := range []dialect.Target{{Model: "x"}, {Model: "x", Strict: true}} {
		upstream, err := Provider{}.Request(request, target)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Parse(upstream.Body); err != nil {
			t.Errorf("%s was rewritten as %s: %v", body, upstream.Body, err)
		}
	}
	pipe := dialect.NewPipe(client, Provider{}, request, routed)
	if out, err := pipe.Whole(nil, answer); err == nil {
		readable(t, string(out), false)
	}
	if string(request.Raw) != before {
		t.Errorf("the request was %s, and is now %s", before, request.Raw)
	}
}

// BenchmarkEmbeddingsAnswer is of 100 vectors of 1536 numbers.
func BenchmarkEmbeddingsAnswer(b *testing.B) {
	numbers := `[0.0123456789` + strings.Repeat(`,-0.0123456789`, 1535) + `]`
	for _, test := range []struct{ name, form, vector string }{
		{"base64", "base64", `"` + strings.Repeat("AACAPwAAAD9v", 1024/2) + `"`},
		{"numbers", "float", numbers},
		{"numbers to base64", "base64", numbers},
	} {
		inputs := `{"input":["a"` + strings.Repeat(`,"a"`, 99) + `],"encoding_format":"` + test.form + `"}`
		answer := []byte(`{"data":[` + strings.TrimSuffix(strings.Repeat(`{"object":"embedding","index":0,"embedding":`+test.vector+`},`, 100), ",") + `]}`)
		b.Run(test.name, func(b *testing.B) {
			request, _ := doing(b, Embeddings{}, inputs)
			var out []byte
			b.SetBytes(int64(len(answer)))
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if out, err = dialect.NewPipe(Embeddings{}, Provider{}, request, meta).Whole(out[:0], answer); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

package openai

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
)

func TestRerankRequests(t *testing.T) {
	for _, test := range []struct {
		name, body, want string
		dropped          []string
	}{
		{"row 147", `{"model":"r/x","query":"q","documents":["a","b"],"top_n":1}`, `{"model":"up","query":"q","documents":["a","b"],"top_n":1}`, nil},
		{"objects that are texts go as such", `{"query":"q","documents":["a",{"text":"b\n","title":"t"}]}`, `{"model":"up","query":"q","documents":["a","b\n"]}`, nil},
		{"images stay objects", `{"query":"q","documents":[{"text":"b","image":"https://a/b.png"},{"image":"c"}]}`,
			`{"model":"up","query":"q","documents":[{"text":"b","image":"https://a/b.png"},{"image":"c"}]}`, nil},
		{"fields for the gateway", `{"query":"q","provider":{},"session_id":"s","trace":{},"return_documents":true,"documents":["a"]}`,
			`{"model":"up","query":"q","documents":["a"]}`, []string{"return_documents"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			request, _ := doing(t, Rerank{}, test.body)
			if request.OutputModality != "rerank" {
				t.Errorf("the output is %q", request.OutputModality)
			}
			got, err := Provider{}.Request(request, dialect.Target{Model: "up", Strict: true})
			if err != nil || got.Path != "/rerank" || string(got.Body) != test.want {
				t.Errorf("%v, %s: got %s, want %s", err, got.Path, got.Body, test.want)
			}
			if diff := cmp.Diff(test.dropped, got.Dropped); diff != "" {
				t.Error(diff)
			}
		})
	}
	request, _ := doing(t, Rerank{}, `{"query":"q","documents":["a"],"return_documents":true}`)
	if got, _ := (Provider{}).Request(request, dialect.Target{Model: "up"}); strings.Contains(string(got.Body), "return_documents") {
		t.Errorf("the provider is to return what the gateway has: %s", got.Body)
	}
	if request.PromptBytes != 1+1 {
		t.Errorf("the prompt has %d bytes", request.PromptBytes)
	}
	images, _ := doing(t, Rerank{}, `{"query":"q","documents":[{"image":"c"}]}`)
	if fmt.Sprint(images.InputModalities) != "[image]" {
		t.Errorf("modalities are %v", images.InputModalities)
	}
}

func TestRerankRefusals(t *testing.T) {
	for body, words := range map[string]string{
		`{"documents":["a"]}`:                        `specify "query"`,
		`{"query":"","documents":["a"]}`:             `specify "query"`,
		`{"query":["q"],"documents":["a"]}`:          "'query' must be a string",
		`{"query":"q"}`:                              "'documents' must be an array",
		`{"query":"q","documents":"a"}`:              "'documents' must be an array",
		`{"query":"q","documents":[]}`:               "'documents' must have at least one item",
		`{"query":"q","documents":["a",1]}`:          "'documents.1' must be a string or an object",
		`{"query":"q","documents":["a"],"top_n":0}`:  "'top_n' must be at least 1",
		`{"query":"q","documents":["a"],"top_n":[]}`: "'top_n' must be a whole number",
		`[]`: "must be a JSON object",
	} {
		refused(t, Rerank{}, body, words)
	}
}

func TestRerankAnswers(t *testing.T) {
	both := `{"query":"q","documents":["a\u00e9",{"text":"b","title":"t"}]}`
	const ranked = answered + `"results":[{"index":1,"relevance_score":0.98,"document":{"text":"b","title":"t"}},` +
		`{"index":0,"relevance_score":1e-3,"document":{"text":"a\u00e9"}}],`
	for _, test := range []struct{ name, request, answer, want string }{
		{"Cohere", both, `{"id":"c","results":[{"index":1,"relevance_score":0.98},{"index":0,"relevance_score":1e-3}],"meta":{"api_version":{"version":"2"},"billed_units":{"search_units":2}}}`,
			ranked + `"usage":{"cost":0,"search_units":2}}`},
		{"Jina", both, `{"model":"up","usage":{"total_tokens":15},"results":[{"index":1,"relevance_score":0.98,"document":{"text":"theirs"}},{"index":0,"relevance_score":1e-3}]}`,
			ranked + `"usage":{"cost":0,"total_tokens":15}}`},
		{"Voyage", both, `{"object":"list","data":[{"index":1,"relevance_score":0.98},{"index":0,"relevance_score":1e-3}],"usage":{"total_tokens":15}}`,
			ranked + `"usage":{"cost":0,"total_tokens":15}}`},
		{"row 147: top_n of a provider that has none", `{"query":"q","documents":["a","b"],"top_n":1}`,
			`{"results":[{"index":1,"relevance_score":0.5},{"index":0,"relevance_score":0.1}],"meta":{"billed_units":{"input_tokens":7}}}`,
			answered + `"results":[{"index":1,"relevance_score":0.5,"document":{"text":"b"}}],"usage":{"cost":0,"total_tokens":7}}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, pipe := doing(t, Rerank{}, test.request)
			got, err := pipe.Whole(nil, []byte(test.answer))
			if err != nil || string(got) != test.want {
				t.Errorf("%v\ngot  %s\nwant %s", err, got, test.want)
			}
			if progress := pipe.Progress(); !progress.Started || !progress.Done || !progress.HasUsage || progress.Empty {
				t.Errorf("progress is %+v", progress)
			}
		})
	}
}

func TestRerankAnswersThatAreNone(t *testing.T) {
	for answer, words := range map[string]string{
		`{"results":[]}`: "no results",
		`{}`:             "no results",
		`{"results":[{"index":2,"relevance_score":1}]}`:   "ranks document 2 of 2",
		`{"results":[{"index":-1,"relevance_score":1}]}`:  "ranks document -1 of 2",
		`{"results":[{"relevance_score":1}]}`:             "ranks document",
		`{"results":[{"index":1}]}`:                       "without a relevance_score",
		`{"results":[{"index":1,"relevance_score":"1"}]}`: "without a relevance_score",
		`{"detail":"Model not found"}`:                    "Model not found",
		`{"results":`:                                     "the provider's answer",
	} {
		_, pipe := doing(t, Rerank{}, `{"query":"q","documents":["a","b"]}`)
		if got, err := pipe.Whole([]byte("x"), []byte(answer)); err == nil || !strings.Contains(err.Error(), words) || string(got) != "x" {
			t.Errorf("%s: %v and %s, want %q", answer, err, got, words)
		}
	}
}

func FuzzRerank(f *testing.F) {
	f.Add([]byte(`{"query":"q","documents":["a",{"text":"b"}],"top_n":1}`), []byte(`{"results":[{"index":1,"relevance_score":0.5}],"meta":{"billed_units":{"search_units":1}}}`))
	f.Add([]byte(`{"query":"q","documents":[{"image":"a"}],"provider":{}}`), []byte(`{"data":[{"index":0,"relevance_score":-1}],"usage":{"total_tokens":1}}`))
	f.Fuzz(func(t *testing.T, body, answer []byte) { fuzzTask(t, Rerank{}, body, answer) })
}

package gemini

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
)

func TestEmbeddingsRequests(t *testing.T) {
	for _, test := range []struct {
		name, model, body, want string
		dropped                 []string
	}{
		{"row 145: texts", "m", `{"input":["a","b"],"dimensions":768}`,
			`{"requests":[{"model":"models/m","content":{"parts":[{"text":"a"}]},"outputDimensionality":768},{"model":"models/m","content":{"parts":[{"text":"b"}]},"outputDimensionality":768}]}`, nil},
		{"what for, in Google's words and in others'", "m", `{"input":"a","task_type":"CODE_RETRIEVAL_QUERY","title":"t","input_type":"query","user":"u"}`,
			`{"requests":[{"model":"models/m","content":{"parts":[{"text":"a"}]},"taskType":"CODE_RETRIEVAL_QUERY","title":"t"}]}`, []string{"input_type", "user"}},
		{"for documents", "m", `{"input":"a","input_type":"document"}`,
			`{"requests":[{"model":"models/m","content":{"parts":[{"text":"a"}]},"taskType":"RETRIEVAL_DOCUMENT"}]}`, nil},
		{"media", "m", `{"input":[{"content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]}]}`,
			`{"requests":[{"model":"models/m","content":{"parts":[{"text":"a"},{"inlineData":{"mimeType":"image/png","data":"AA=="}}]}}]}`, nil},
		{"a tuned model", "tunedModels/x y", `{"input":"a"}`, `{"requests":[{"model":"tunedModels/x y","content":{"parts":[{"text":"a"}]}}]}`, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			request, err := openai.Embeddings{}.Parse([]byte(test.body))
			if err != nil {
				t.Fatal(err)
			}
			got, err := Provider{}.Request(request, dialect.Target{Model: test.model})
			if err != nil || string(got.Body) != test.want {
				t.Errorf("%v: got %s, want %s", err, got.Body, test.want)
			}
			if want := map[string]string{"m": "/models/m"}[test.model]; got.Path != want+":batchEmbedContents" && got.Path != "/tunedModels/x%20y:batchEmbedContents" {
				t.Errorf("the path is %s", got.Path)
			}
			if diff := cmp.Diff(test.dropped, got.Dropped); diff != "" {
				t.Error(diff)
			}
		})
	}
	request, _ := openai.Embeddings{}.Parse([]byte(`{"input":[{"content":[{"type":"image_url","image_url":{"url":"https://a/b.png"}}]}]}`))
	var failure *dialect.Error
	if _, err := (Provider{}).Request(request, dialect.Target{Model: "m"}); !errors.As(err, &failure) || failure.Status != 400 {
		t.Errorf("an image by URL: %v", err)
	}
}

func TestEmbeddingsAnswers(t *testing.T) {
	for _, test := range []struct{ name, answer, want string }{
		{"vectors and usage", `{"embeddings":[{"values":[0.5,1e-3]},{"values":[1]}],"usageMetadata":{"promptTokenCount":4}}`, `"embedding":[1]}],"usage":{"prompt_tokens":4,`},
		{"usage that nobody reports", `{"embeddings":[{"values":[0.5]},{"values":[1]}]}`, `"usage":{"prompt_tokens":1,`},
		{"a vector less", `{"embeddings":[{"values":[1]}]}`, "1 embeddings for 2 inputs"},
		{"no values", `{"embeddings":[{"values":[1]},{}]}`, "no vector for input 1"},
		{"an error", `{"error":{"code":400,"message":"no"}}`, "no"},
	} {
		t.Run(test.name, func(t *testing.T) {
			request, err := openai.Embeddings{}.Parse([]byte(`{"input":["a","b"]}`))
			if err != nil {
				t.Fatal(err)
			}
			out, err := dialect.NewPipe(openai.Embeddings{}, Provider{}, request, dialect.Meta{}).Whole(nil, []byte(test.answer))
			if err != nil {
				out = []byte(err.Error())
			}
			if !strings.Contains(string(out), test.want) {
				t.Errorf("%s is missing in %s", test.want, out)
			}
		})
	}
}

// Vertex AI has predict, and no batchEmbedContents.
func TestEmbeddingsOfVertex(t *testing.T) {
	request, err := openai.Embeddings{}.Parse([]byte(`{"input":["a","b"],"dimensions":256,"input_type":"document","title":"t","user":"u"}`))
	if err != nil {
		t.Fatal(err)
	}
	got, err := Provider{}.Request(request, dialect.Target{Model: "gemini-embedding-001", Base: vertexBase})
	const want = `{"instances":[{"content":"a","task_type":"RETRIEVAL_DOCUMENT","title":"t"},{"content":"b","task_type":"RETRIEVAL_DOCUMENT","title":"t"}],"parameters":{"outputDimensionality":256}}`
	if err != nil || string(got.Body) != want || got.Path != "/models/gemini-embedding-001:predict" || len(got.Dropped) != 1 {
		t.Errorf("%s %s without %v, %v", got.Path, got.Body, got.Dropped, err)
	}
	out, err := dialect.NewPipe(openai.Embeddings{}, Provider{}, request, dialect.Meta{}).Whole(nil, []byte(
		`{"predictions":[{"embeddings":{"values":[0.5],"statistics":{"token_count":3,"truncated":false}}},{"embeddings":{"values":[1],"statistics":{"token_count":4.0}}}],"metadata":{"billableCharacterCount":2}}`))
	if err != nil || !strings.Contains(string(out), `"embedding":[0.5]`) || !strings.Contains(string(out), `"embedding":[1]}],"usage":{"prompt_tokens":7,`) {
		t.Errorf("%s, %v", out, err)
	}
	request, _ = openai.Embeddings{}.Parse([]byte(`{"input":[{"content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]}]}`))
	var failure *dialect.Error
	if _, err := (Provider{}).Request(request, dialect.Target{Model: "m", Base: vertexBase}); !errors.As(err, &failure) || failure.Status != 400 {
		t.Errorf("an image: %v", err)
	}
}

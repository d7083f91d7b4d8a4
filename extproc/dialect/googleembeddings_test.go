package dialect_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/cohere"
	"github.com/switchyard/switchyard/extproc/dialect/gemini"
	"github.com/switchyard/switchyard/extproc/dialect/ollama"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
)

// Row 145 in Google's words: one vector, and a batch.
const (
	oneToEmbed   = `{"model":"models/m/x","content":{"role":"user","parts":[{"text":"a"},{"text":"b"}]},"task_type":"RETRIEVAL_QUERY","outputDimensionality":256,"provider":{"order":["p"]}}`
	batchToEmbed = `{"requests":[{"model":"models/m/x","content":{"parts":[{"text":"a"}]},"taskType":"SEMANTIC_SIMILARITY"},` +
		`{"model":"models/m/x","content":{"parts":[{"text":"b"}]},"taskType":"SEMANTIC_SIMILARITY"}],"user":"bob"}`
)

func googleEmbeddings(t testing.TB, method, body string) (dialect.Client, *dialect.Request, error) {
	t.Helper()
	client, err := gemini.Client{}.ReadHead(dialect.Head{Path: "/v1beta/models/m/x:" + method})
	if err != nil {
		t.Fatal(err)
	}
	request, err := client.Parse([]byte(body))
	return client, request, err
}

func TestRow145RequestsOfGoogleClients(t *testing.T) {
	for _, test := range []struct {
		name, method, body string
		provider           dialect.Provider
		path, want         string
		dropped            []string
	}{
		{"one, at Google's", "embedContent", oneToEmbed, gemini.Provider{}, "/models/n:batchEmbedContents",
			`{"requests":[{"model":"models/n","content":{"role":"user","parts":[{"text":"a"},{"text":"b"}]},"task_type":"RETRIEVAL_QUERY","outputDimensionality":256}]}`, nil},
		{"a batch, at Google's", "batchEmbedContents", batchToEmbed, gemini.Provider{}, "/models/n:batchEmbedContents",
			`{"requests":[{"model":"models/n","content":{"parts":[{"text":"a"}]},"taskType":"SEMANTIC_SIMILARITY"},{"model":"models/n","content":{"parts":[{"text":"b"}]},"taskType":"SEMANTIC_SIMILARITY"}]}`, nil},
		{"one, at Cohere's", "embedContent", oneToEmbed, cohere.Provider{}, "/embed",
			`{"model":"n","input_type":"search_query","embedding_types":["float"],"output_dimension":256,"texts":["a\nb"]}`, nil},
		{"a batch, at Cohere's", "batchEmbedContents", batchToEmbed, cohere.Provider{}, "/embed",
			`{"model":"n","input_type":"search_document","embedding_types":["float"],"texts":["a","b"]}`, []string{"task_type"}},
		{"a batch, at Ollama's", "batchEmbedContents", batchToEmbed, ollama.Provider{}, "/embed", `{"model":"n","input":["a","b"]}`, []string{"task_type"}},
		{"one, at OpenAI's", "embedContent", oneToEmbed, openai.Provider{}, "/embeddings", `{"model":"n","input":["a\nb"],"dimensions":256}`, []string{"input_type"}},
		{"a batch, at OpenAI's", "batchEmbedContents", batchToEmbed, openai.Provider{}, "/embeddings", `{"model":"n","input":["a","b"]}`, []string{"task_type"}},
		{"an image", "embedContent", `{"content":{"parts":[{"text":"a"},{"inlineData":{"mimeType":"image/png","data":"QQ=="}}]}}`, openai.Provider{}, "/embeddings",
			`{"model":"n","input":[{"content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"data:image/png;base64,QQ=="}}]}]}`, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, request, err := googleEmbeddings(t, test.method, test.body)
			if err != nil {
				t.Fatal(err)
			}
			if request.Model != "m/x" || request.OutputModality != "embeddings" || request.PromptBytes == 0 {
				t.Errorf("%+v", request)
			}
			made, err := test.provider.Request(request, dialect.Target{Model: "n", Strict: true})
			if err != nil || made.Path != test.path || string(made.Body) != test.want {
				t.Errorf("%v: %s\n got %s\nwant %s", err, made.Path, made.Body, test.want)
			}
			if diff := cmp.Diff(test.dropped, made.Dropped); diff != "" {
				t.Errorf("dropped (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEmbeddingsOfGoogleClientsThatCannotBe(t *testing.T) {
	for _, test := range []struct{ method, body, want string }{
		{"embedContent", `{}`, "'content.parts' must"},
		{"embedContent", `{"content":{"parts":[{"text":1}]}}`, "'content.parts.0.text'"},
		{"embedContent", `{"content":{"parts":[{"text":""}]}}`, "'content' must have a part"},
		{"batchEmbedContents", `{"requests":{"a":{"content":{"parts":[{"text":"a"}]}}}}`, "'requests' must"},
		{"batchEmbedContents", `{"requests":[]}`, "'requests' must"},
		{"batchEmbedContents", `{"requests":[{"content":{"parts":[{"text":"a"}]}},{"content":{}}]}`, "'requests.1.content.parts' must"},
		{"batchEmbedContents", `{"requests":[{"content":{"parts":[{"text":"a"}]},"taskType":"CLUSTERING"},{"content":{"parts":[{"text":"a"}]}}]}`, "'requests.1' differs"},
		{"embedContent", `{"content":{"parts":[{"fileData":{"fileUri":"gs://a/b","mimeType":"image/png"}}]}}`, "'content' has fileData"},
	} {
		_, request, err := googleEmbeddings(t, test.method, test.body)
		if err == nil {
			_, err = ollama.Provider{}.Request(request, dialect.Target{Model: "n"})
		}
		var refused *dialect.Error
		if !errors.As(err, &refused) || refused.Status != 400 || !strings.Contains(refused.Message, test.want) {
			t.Errorf("%s: %v, want %q", test.body, err, test.want)
		}
	}
}

func TestRow145AnswersForGoogleClients(t *testing.T) {
	const other = `{"requests":[{"content":{"parts":[{"text":"a"}]},"taskType":"CLUSTERING"},{"content":{"parts":[{"text":"b"}]}}]}`
	for _, test := range []struct {
		name, method, body string
		provider           dialect.Provider
		answer, want       string
	}{
		{"one of Google's", "embedContent", oneToEmbed, gemini.Provider{}, `{"embeddings":[{"values":[0.50,1e-3]}],"usageMetadata":{"promptTokenCount":4}}`,
			`{"embedding":{"values":[0.50,1e-3]},"usageMetadata":{"promptTokenCount":4,"totalTokenCount":4,`},
		{"a batch of wishes that only Google has", "batchEmbedContents", other, gemini.Provider{}, `{"embeddings":[{"values":[1]},{"values":[2]}]}`,
			`{"embeddings":[{"values":[1]},{"values":[2]}],"usageMetadata":{`},
		{"of OpenAI's, in any order", "batchEmbedContents", batchToEmbed, openai.Provider{}, `{"object":"list","data":[{"index":1,"embedding":[2]},{"index":0,"embedding":[1]}],"usage":{"prompt_tokens":4,"total_tokens":4}}`,
			`{"embeddings":[{"values":[1]},{"values":[2]}],"usageMetadata":{"promptTokenCount":4,`},
		{"of OpenAI's, in base64", "embedContent", oneToEmbed, openai.Provider{}, `{"data":[{"embedding":"AAAAPwAAgL5vEoM6"}],"usage":{"total_tokens":4}}`,
			`{"embedding":{"values":[0.5,-0.25,0.001]},"usageMetadata":{"promptTokenCount":4,`},
		{"of OpenAI's, broken", "embedContent", oneToEmbed, openai.Provider{}, `{"data":[{"embedding":"AAA"}]}`, "without a vector"},
		{"of OpenAI's, a chat's", "embedContent", oneToEmbed, openai.Provider{}, `{"choices":[{"message":{"content":"hi"}}]}`, "0 embeddings for 1 inputs"},
		{"of Cohere's", "embedContent", oneToEmbed, cohere.Provider{}, `{"id":"1","embeddings":{"float":[[1,2]]},"meta":{"billed_units":{"input_tokens":4}}}`,
			`{"embedding":{"values":[1,2]},"usageMetadata":{"promptTokenCount":4,`},
		{"one too few", "batchEmbedContents", other, gemini.Provider{}, `{"embeddings":[{"values":[1]}]}`, "1 embeddings for 2 inputs"},
	} {
		t.Run(test.name, func(t *testing.T) {
			client, request, err := googleEmbeddings(t, test.method, test.body)
			if err != nil {
				t.Fatal(err)
			}
			out, err := dialect.NewPipe(client, test.provider, request, dialect.Meta{ID: "gen-1-a", Model: "m/x"}).Whole(nil, []byte(test.answer))
			if err == nil && (!json.Valid(out) || !strings.Contains(string(out), `"responseId":"gen-1-a"`)) {
				t.Errorf("%s", out)
			}
			if err != nil {
				out = []byte(err.Error())
			}
			if !strings.Contains(string(out), test.want) {
				t.Errorf("%s is missing in %s", test.want, out)
			}
		})
	}
}

// A preset says who shall embed, and nothing of conversations.
func TestPresetOfGoogleEmbeddings(t *testing.T) {
	client, _, err := googleEmbeddings(t, "embedContent", oneToEmbed)
	if err != nil {
		t.Fatal(err)
	}
	body, err := client.(dialect.Presetter).WithPreset([]byte(`{"content":{"parts":[{"text":"a"}]}}`), dialect.Preset{
		SystemPrompt: "Be brief.", Config: []byte(`{"temperature":0.5,"provider":{"order":["p"]},"tools":[]}`),
	})
	if want := `{"content":{"parts":[{"text":"a"}]},"provider":{"order":["p"]}}`; err != nil || string(body) != want {
		t.Errorf("%v: %s", err, body)
	}
}

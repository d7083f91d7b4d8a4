package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/e2e/provider"
	"github.com/switchyard/switchyard/extproc/dialect/registry"
	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/config/configpb"
)

// matrixTask is what is asked of models that do not converse.
type matrixTask struct {
	paths []string // those of the registry that it stands for
	// request is the body for a model behind its name, and want is in the answer.
	request, want string
	prices        settings
	// vendors add fakes that have the task, by the name of their dialect in the registry.
	vendors map[string]func(s *stage) *site
}

var matrixTasks = map[string]matrixTask{
	"embeddings": {
		paths:   []string{"/api/v1/embeddings", "/v1/embeddings"},
		request: `"input":["a","b"]`, want: `"embedding":[1.5,-0.25,0.001]`, prices: settings{"prompt": "1"},
		vendors: map[string]func(s *stage) *site{
			"openai": func(s *stage) *site { return s.embedder("openai-embeds") },
			"azure": func(s *stage) *site {
				return s.azure("azure-embeds", "/openai/v1", "my-vectors", provider.AzureEmbeddings)
			},
			"cohere": func(s *stage) *site { return s.cohere("cohere-embeds", "embed-v4.0") },
			"gemini": func(s *stage) *site {
				return s.site("gemini-embeds", "gemini", "gemini-embedding-001", provider.Gemini)
			},
			"ollama": func(s *stage) *site { return s.ollama("ollama-embeds", "nomic-embed-text") },
		},
	},
	"rerank": {
		paths:   []string{"/api/v1/rerank", "/v1/rerank"},
		request: `"query":"q","documents":["a","b"],"top_n":1`, want: `"relevance_score":`, prices: settings{"request": "0.002"},
		vendors: map[string]func(s *stage) *site{
			"openai": func(s *stage) *site { return s.reranker("openai-ranks") },
			"cohere": func(s *stage) *site { return s.cohere("cohere-ranks", "rerank-v4.0-fast") },
		},
	},
	"image": {
		paths: []string{
			"/v1/images/generations", "/api/v1/images/generations", "/api/v1/images", "/api/v1/images/edits", "/v1/images/edits",
			"/api/v1/images/variations", "/v1/images/variations",
		},
		request: `"prompt":"a cat"`, want: `"b64_json":"`, prices: settings{"prompt": "5"},
		vendors: map[string]func(s *stage) *site{
			"openai": func(s *stage) *site { return s.medium("openai-draws", "gpt-image-1") },
		},
	},
	"speech": {
		paths:   []string{"/v1/audio/speech", "/api/v1/audio/speech"},
		request: `"input":"hello","voice":"alloy"`, want: "", prices: settings{"character": "15"},
		vendors: map[string]func(s *stage) *site{
			"openai": func(s *stage) *site { return s.medium("openai-speaks", "tts-1") },
		},
	},
	"transcription": {
		paths:   []string{"/v1/audio/transcriptions", "/api/v1/audio/transcriptions", "/api/v1/audio/translations", "/v1/audio/translations"},
		request: `"input_audio":{"data":"UklGRg==","format":"wav"}`, want: `"text":"`, prices: settings{"second": "0.0001"},
		vendors: map[string]func(s *stage) *site{
			"openai": func(s *stage) *site { return s.medium("openai-hears", "whisper-1") },
		},
	},
}

// TestMatrixOfTasks takes each task to every provider dialect that has it, and holds that
// the configuration refuses all others.
func TestMatrixOfTasks(t *testing.T) {
	s := newStage(t)
	for task, of := range matrixTasks {
		for name, add := range of.vendors {
			s.makes(task, task+"/"+name, of.prices, add(s))
		}
	}
	s.start()
	for task, of := range matrixTasks {
		for name := range registry.Providers() {
			if of.vendors[name] == nil {
				if err := refusedTask(task, name); err == nil || !strings.Contains(err.Error(), "has no "+task) {
					t.Errorf("%s at %s: the configuration says %v", task, name, err)
				}
				continue
			}
			got := s.do(http.MethodPost, of.paths[0], `{"model":"`+task+`/`+name+`",`+of.request+`}`)
			if got.status != http.StatusOK || got.body == "" || !strings.Contains(got.body, of.want) {
				t.Errorf("%s at %s: status %d: %s", task, name, got.status, got.body)
			}
		}
	}
}

// refusedTask is what a configuration with such a model comes to.
func refusedTask(task, dialect string) error {
	value := configpb.Dialect_value["DIALECT_"+strings.ToUpper(dialect)]
	_, err := catalog.New(&configpb.Config{
		Providers: map[string]*configpb.Provider{"p": {Dialect: configpb.Dialect(value), BaseUrl: "https://p.example/v1"}},
		Models:    map[string]*configpb.Model{"m/x": {OutputModalities: []string{task}, Endpoints: []*configpb.Endpoint{{Provider: "p"}}}},
	}, func(string) (string, bool) { return "", false })
	return err
}

package api

import (
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/config/configpb"
)

var update = flag.Bool("update", false, "rewrite the golden files under testdata")

type list struct {
	Data []struct {
		ID string `json:"id"`
	} `json:"data"`
	TotalCount int `json:"total_count"`
	Links      struct {
		Next *string `json:"next"`
	} `json:"links"`
}

func (l list) ids() []string {
	ids := []string{}
	for _, model := range l.Data {
		ids = append(ids, model.ID)
	}
	return ids
}

func TestRow149ModelsAreListed(t *testing.T) {
	text := []string{"m/a", "m/b", "m/c", "m/d", "m/e"}
	tests := []struct {
		name, query string
		want        []string
		total       int
		next        string
	}{
		{"all", "", text, 5, ""},
		{"row 150: a page", "?limit=2&offset=2", []string{"m/c", "m/d"}, 5, "/api/v1/models?limit=2&offset=4"},
		{"row 150: the last page", "?limit=2&offset=4", []string{"m/e"}, 5, ""},
		{"row 150: a page that ends with the list", "?limit=2&offset=3", []string{"m/d", "m/e"}, 5, ""},
		{"row 150: beyond the list", "?limit=2&offset=9", []string{}, 5, ""},
		{"row 150: only an offset", "?offset=3", []string{"m/d", "m/e"}, 5, ""},
		{"row 150: the next page keeps the filter", "?limit=1&input_modalities=text", []string{"m/a"}, 5, "/api/v1/models?input_modalities=text&limit=1&offset=1"},
		{"row 151: embeddings when asked for", "?output_modalities=embeddings", []string{"e/x"}, 1, ""},
		{"row 151: any of two outputs", "?output_modalities=embeddings,text", append([]string{"e/x"}, text...), 6, ""},
		{"row 151: every output", "?output_modalities=all", append([]string{"e/x"}, text...), 6, ""},
		{"row 152: a parameter", "?supported_parameters=tools", []string{"m/a"}, 1, ""},
		{"row 152: two parameters, of which endpoints have one each", "?supported_parameters=tools,seed", []string{"m/a"}, 1, ""},
		{"row 152: two parameters, of which one is unknown", "?supported_parameters=tools,telepathy", []string{}, 0, ""},
		{"an input", "?input_modalities=image", []string{"m/a"}, 1, ""},
		{"both inputs", "?input_modalities=text,%20image", []string{"m/a"}, 1, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := decode[list](t, ask(gateway(t), "GET", "/api/v1/models"+test.query))
			if diff := cmp.Diff(test.want, got.ids()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got.TotalCount != test.total {
				t.Errorf("total_count %d, want %d", got.TotalCount, test.total)
			}
			next := ""
			if got.Links.Next != nil {
				next = *got.Links.Next
			}
			if next != test.next {
				t.Errorf("next %q, want %q", next, test.next)
			}
		})
	}
}

func TestRow149NobodyNeedsAKey(t *testing.T) {
	for _, headers := range [][]string{nil, {"Authorization", "Bearer bad"}} {
		for _, path := range []string{"/api/v1/models", "/v1/models"} {
			if response := ask(withKey(t, &configpb.Key{Name: "k"}), "GET", path, headers...); response.Code != 200 {
				t.Errorf("%s with %v: %d", path, headers, response.Code)
			}
		}
	}
}

func TestBadQueryIsRefused(t *testing.T) {
	for _, query := range []string{
		"limit=0", "limit=1001", "limit=-1", "limit=ten", "limit=", "offset=-1", "offset=1.5", "offset=99999999999999999999",
		"output_modalities=smell", "input_modalities=all", "output_modalities=text,",
	} {
		t.Run(query, func(t *testing.T) {
			wantError(t, ask(gateway(t), "GET", "/api/v1/models?"+query), 400, "invalid_request")
		})
	}
	wantError(t, ask(gateway(t), "GET", "/api/v1/models/count?output_modalities=smell"), 400, "invalid_request")
}

func TestRow155Count(t *testing.T) {
	type count struct {
		Data struct {
			Count int `json:"count"`
		} `json:"data"`
	}
	for query, want := range map[string]int{"": 5, "?output_modalities=all": 6} {
		if got := decode[count](t, ask(gateway(t), "GET", "/api/v1/models/count"+query)); got.Data.Count != want {
			t.Errorf("%q: %d, want %d", query, got.Data.Count, want)
		}
	}
}

func TestRow154OneModel(t *testing.T) {
	type one struct {
		Data struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	for path, want := range map[string]string{
		"/api/v1/model/m/a":           "m/a",
		"/v1/model/m/a":               "m/a",
		"/api/v1/model/m/a-2026":      "m/a",
		"/api/v1/model/m%2Fa":         "m/a",
		"/api/v1/model/local/llama:8": "local/llama:8",
	} {
		if got := decode[one](t, ask(gateway(t), "GET", path)); got.Data.ID != want {
			t.Errorf("%s is %q, want %q", path, got.Data.ID, want)
		}
	}
	for _, path := range []string{"/api/v1/model/no/such", "/api/v1/models/no/such", "/api/v1/models/no/such/endpoints", "/api/v1/models/endpoints"} {
		wantError(t, ask(gateway(t), "GET", path), 404, "not_found")
	}
}

// OpenAI's clients escape the slash.
func TestOpenAIClientsRetrieveAModel(t *testing.T) {
	want := openAIModel{ID: "m/a", Object: "model", Created: 1767225600, OwnedBy: "m"}
	for _, path := range []string{"/v1/models/m%2Fa", "/api/v1/models/m/a"} {
		if diff := cmp.Diff(want, decode[openAIModel](t, ask(gateway(t), "GET", path))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

// The whole of what OpenRouter's clients parse, prices and nulls included.
func TestWireShape(t *testing.T) {
	for name, path := range map[string]string{
		"models.json":    "/api/v1/models?input_modalities=image",
		"endpoints.json": "/api/v1/models/m/a/endpoints", // row 153
		"on_demand.json": "/api/v1/model/local/llama",
	} {
		t.Run(name, func(t *testing.T) {
			response := ask(gateway(t), "GET", path)
			got := jsontext.Value(response.Body.Bytes())
			if err := got.Indent(jsontext.WithIndent("  ")); err != nil {
				t.Fatal(err)
			}
			golden := "testdata/" + name
			if *update {
				if err := os.WriteFile(golden, append(got, '\n'), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)+"\n"); diff != "" {
				t.Errorf("%d, other than %s (-want +got):\n%s", response.Code, golden, diff)
			}
		})
	}
}

// BenchmarkModels500 lists a catalog of the size of OpenRouter's.
func BenchmarkModels500(b *testing.B) {
	cfg := &configpb.Config{
		Providers: map[string]*configpb.Provider{"p": {Dialect: configpb.Dialect_DIALECT_OPENAI, BaseUrl: "http://p.example"}},
		Models:    map[string]*configpb.Model{},
	}
	for i := range 500 {
		cfg.Models[fmt.Sprintf("m/%03d", i)] = &configpb.Model{
			Description: strings.Repeat("A model of many words. ", 20),
			Endpoints:   []*configpb.Endpoint{{Provider: "p", Prices: &configpb.Prices{Prompt: "3"}}},
		}
	}
	models, err := catalog.New(cfg, func(string) (string, bool) { return "", false })
	if err != nil {
		b.Fatal(err)
	}
	options := gateway(b)
	options.Catalog = func() *catalog.Catalog { return models }
	handler := New(options)
	for _, target := range []string{"/api/v1/models", "/api/v1/models?limit=20&supported_parameters=tools"} {
		b.Run(target, func(b *testing.B) {
			request := httptest.NewRequest("GET", target, nil)
			b.ReportAllocs()
			for b.Loop() {
				handler.ServeHTTP(httptest.NewRecorder(), request)
			}
		})
	}
}

package e2e

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/e2e/provider"
	"github.com/switchyard/switchyard/extproc/pdftext/pdftexttest"
)

// What the paper of these tests says, and a request about it from each client.
const paperSays = "The answer is 42."

func aboutPaper(model, data, url string) map[string]string {
	return map[string]string{
		"/api/v1/chat/completions": `{"model":"` + model + `","messages":[{"role":"user","content":[{"type":"text","text":"what?"},` +
			`{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,` + data + `"}},{"type":"file","file":{"filename":"b.pdf","file_data":"` + url + `"}}]}]}`,
		"/api/v1/messages": `{"model":"` + model + `","max_tokens":99,"messages":[{"role":"user","content":[{"type":"text","text":"what?"},` +
			`{"type":"document","title":"a.pdf","source":{"type":"base64","media_type":"application/pdf","data":"` + data + `"}},{"type":"document","title":"b.pdf","source":{"type":"url","url":"` + url + `"}}]}]}`,
		"/api/v1/responses": `{"model":"` + model + `","input":[{"role":"user","content":[{"type":"input_text","text":"what?"},` +
			`{"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,` + data + `"},{"type":"input_file","filename":"b.pdf","file_url":"` + url + `"}]}]}`,
		"/api/v1/models/" + model + ":generateContent": `{"contents":[{"role":"user","parts":[{"text":"what?"},` +
			`{"inlineData":{"mimeType":"application/pdf","data":"` + data + `","displayName":"a.pdf"}},{"fileData":{"mimeType":"application/pdf","fileUri":"` + url + `"}}]}]}`,
	}
}

// Row 121: what a model does not read the gateway reads for it, from any client to any
// provider, its own kind included.
func TestRow121PDFsForModelsThatReadNone(t *testing.T) {
	s := newStage(t)
	sites := map[string]*site{
		"m/openai": s.openAI("oai"), "m/anthropic": s.anthropic("ant"), "m/gemini": s.gemini("goo"), "m/responses": s.site("res", "openai_responses", "gpt-5.1", provider.Responses),
	}
	for id, at := range sites {
		s.serve(id, at)
	}
	reads := s.openAI("reads")
	s.serve("m/reads", reads)
	s.models["m/reads"].(settings)["input_modalities"] = []any{"text", "file"}
	s.config["fetch"] = settings{"allow": []any{"127.0.0.1"}}
	s.start()
	file := pdftexttest.Document(paperSays)
	data := base64.StdEncoding.EncodeToString(file)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(file) }))
	t.Cleanup(server.Close)

	for id, at := range sites {
		for path, body := range aboutPaper(id, data, server.URL+"/b.pdf") {
			got := s.do(http.MethodPost, path, body)
			if got.status != http.StatusOK {
				t.Errorf("%s to %s: %d %s", path, id, got.status, got.body)
				continue
			}
			sent := string(at.last(t).Body)
			for _, name := range []string{"a.pdf", "b.pdf"} {
				if !strings.Contains(sent, `<file name=\"`+name+`\">\n`+paperSays+`\n</file>`) || strings.Contains(sent, data) {
					t.Errorf("%s to %s: the provider got %s", path, id, sent)
				}
			}
		}
	}
	t.Run("untouched for one that reads them", func(t *testing.T) {
		s.ask(aboutPaper("m/reads", data, "data:application/pdf;base64,"+data)["/api/v1/chat/completions"])
		if sent := string(reads.last(t).Body); strings.Count(sent, data) != 2 || strings.Contains(sent, paperSays) {
			t.Errorf("the provider got %s", sent)
		}
	})
	t.Run("annotated, and not read again", func(t *testing.T) {
		body := aboutPaper("m/anthropic", data, "data:application/pdf;base64,"+data)["/api/v1/chat/completions"]
		var answer struct {
			Choices []struct {
				Message struct {
					Role, Content string
					Annotations   []map[string]any `json:"annotations"`
				}
			}
		}
		first := s.ask(body)
		if err := json.Unmarshal([]byte(first.body), &answer); err != nil || len(answer.Choices) != 1 || len(answer.Choices[0].Message.Annotations) == 0 {
			t.Fatalf("%v: %s", err, first.body)
		}
		annotation, _ := json.Marshal(answer.Choices[0].Message.Annotations[0])
		if !strings.Contains(string(annotation), `"text":"`+paperSays+`"`) || !strings.Contains(string(annotation), `"type":"file"`) {
			t.Errorf("annotation %s", annotation)
		}
		echoed := strings.Replace(string(annotation), paperSays, "As I remember it.", 1)
		second := strings.Replace(body, `}]}]}`, `}]},{"role":"assistant","content":"hm","annotations":[`+echoed+`]},{"role":"user","content":"and?"}]}`, 1)
		if got := s.ask(second); got.status != http.StatusOK || !strings.Contains(string(sites["m/anthropic"].last(t).Body), "As I remember it.") {
			t.Errorf("%d %s; the provider got %s", got.status, got.body, sites["m/anthropic"].last(t).Body)
		}
	})
	t.Run("refused by name, in the client's words", func(t *testing.T) {
		for name, file := range map[string][]byte{"is encrypted": pdftexttest.Encrypted(), "holds no text": pdftexttest.Document(""), "is no PDF": []byte("%PDF-1.7 cut")} {
			before := sites["m/openai"].calls()
			data := base64.StdEncoding.EncodeToString(file)
			for path, body := range aboutPaper("m/openai", data, "https://127.0.0.1:1/") {
				if got := s.do(http.MethodPost, path, strings.Replace(body, "https://127.0.0.1:1/", server.URL, 1)); got.status != http.StatusBadRequest ||
					!strings.Contains(got.body, name) || !strings.Contains(got.body, ".1'") || strings.Contains(got.body, data) {
					t.Errorf("%s: %d %s", path, got.status, got.body)
				}
			}
			if sites["m/openai"].calls() != before {
				t.Error("the provider was asked")
			}
		}
	})
}

// Row 100: no reasoning of a model that must, in the words of each client.
func TestRow100MandatoryReasoning(t *testing.T) {
	s := newStage(t)
	oai, ant, goo := s.site("openai", "openai", "gpt-5-mini", provider.OpenAI), s.anthropic("ant"), s.gemini("goo")
	for id, at := range map[string]*site{"m/x": oai, "m/claude": ant, "m/gemini": goo} {
		s.serve(id, at)
		s.models[id].(settings)["reasoning"] = settings{"mandatory": true, "supported_efforts": []any{"low", "high"}}
	}
	s.serve("m/y", oai)
	s.config["aliases"] = settings{"~m/x-latest": "m/x", "~m/claude-latest": "m/claude", "~m/gemini-latest": "m/gemini"}
	s.start()
	asked := func(model string) map[string]string {
		return map[string]string{
			"/api/v1/chat/completions":                     `{"model":"` + model + `","messages":[{"role":"user","content":"hi"}],"reasoning":{"effort":"none"}}`,
			"/v1/chat/completions":                         `{"model":"` + model + `","messages":[{"role":"user","content":"hi"}],"reasoning_effort":"none"}`,
			"/api/v1/messages":                             `{"model":"` + model + `","max_tokens":9000,"messages":[{"role":"user","content":"hi"}],"thinking":{"type":"disabled"}}`,
			"/api/v1/responses":                            `{"model":"` + model + `","input":"hi","reasoning":{"effort":"none"}}`,
			"/api/v1/models/" + model + ":generateContent": `{"contents":[{"role":"user","parts":[{"text":"hi"}]}],"generationConfig":{"thinkingConfig":{"thinkingBudget":0}}}`,
		}
	}
	for path, body := range asked("m/x") {
		got := s.do(http.MethodPost, path, body)
		if got.status != http.StatusBadRequest || !strings.Contains(got.body, "Reasoning is mandatory for this endpoint and cannot be disabled.") || strings.Contains(got.body, `"availability"`) {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	for alias, thinks := range map[string]struct {
		at   *site
		want []string
	}{
		"~m/x-latest":      {oai, []string{`"reasoning_effort":"low"`}},
		"~m/claude-latest": {ant, []string{`"thinking":{"type":"enabled"`, `"thinking":{"type":"adaptive"}`}},
		"~m/gemini-latest": {goo, []string{`"thinkingLevel":"low"`, `"thinkingBudget":2048`}},
	} {
		for path, body := range asked(alias) {
			got := s.do(http.MethodPost, path, body)
			sent := string(thinks.at.last(t).Body)
			found := false
			for _, want := range thinks.want {
				found = found || strings.Contains(sent, want)
			}
			if got.status != http.StatusOK || !found {
				t.Errorf("%s of %s: %d %.300s; the provider got %s", path, alias, got.status, got.body, sent)
			}
		}
	}
	if got := s.ask(`{"model":"m/x","models":["m/y"],"messages":[{"role":"user","content":"hi"}],"reasoning":{"enabled":false}}`); got.status != http.StatusOK || !strings.Contains(got.body, `"model":"m/y"`) {
		t.Errorf("the next model: %d %s", got.status, got.body)
	}
}

// Row 19 names what no endpoint takes; spec section 5.3: a model that is gone says since when.
func TestRow19AndExpiredModelsAreNamed(t *testing.T) {
	s := newStage(t)
	ant := s.anthropic("ant")
	s.serve("m/x", ant)
	s.serve("m/old", ant)
	s.models["m/old"].(settings)["expiration_date"] = "2026-01-31"
	s.serve("m/kept", ant)
	s.models["m/kept"].(settings)["expiration_date"], s.models["m/kept"].(settings)["refuse_expired"] = "2026-01-31", false
	s.start()
	hello := `"messages":[{"role":"user","content":"hi"}]}`
	got := s.ask(`{"model":"m/x","seed":7,"logit_bias":{"1":2},"temperature":1,"provider":{"require_parameters":true},` + hello)
	for _, want := range []string{
		`"No endpoints found that can handle the requested parameters: logit_bias, seed. `, `"unsupported_parameters":["logit_bias","seed"]`,
		`"code":"constraint_filtered"`, `"excluded_by":["require_parameters"]`, `"constraint":{"field":"provider.require_parameters","detail":"No endpoints found that can handle the requested parameters: logit_bias, seed.`,
	} {
		if got.status != http.StatusNotFound || !strings.Contains(got.body, want) {
			t.Errorf("%d %s lacks %s", got.status, got.body, want)
		}
	}
	got = s.ask(`{"model":"m/old",` + hello)
	if got.status != http.StatusNotFound || !strings.Contains(got.body, `"code":"model_deprecated"`) || !strings.Contains(got.body, "m/old expired on 2026-01-31") {
		t.Errorf("expired: %d %s", got.status, got.body)
	}
	if got := s.ask(`{"model":"m/kept",` + hello); got.status != http.StatusOK {
		t.Errorf("expired, but not refused: %d %s", got.status, got.body)
	}
	if got := s.do(http.MethodGet, "/api/v1/models", ""); strings.Count(got.body, `"expiration_date":"2026-01-31"`) != 2 {
		t.Errorf("listed: %s", got.body)
	}
}

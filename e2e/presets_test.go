package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// A preset that one key creates is used and deleted by that key alone.
func TestRow129PresetsBelongToTheirKey(t *testing.T) {
	s := newStage(t)
	only := s.openAI("only")
	s.serve("m/x", only)
	const other = "sk-sy-v1-other"
	s.config["keys"] = append(s.config["keys"].([]any), settings{"name": "other", "hash": hash(other)})
	s.start("--state-dir", t.TempDir())
	const preset = "/api/v1/presets/mine"
	as := []string{"Authorization", "Bearer " + other}

	made := s.do(http.MethodPost, preset+"/chat/completions", `{"model":"m/x","messages":[{"role":"system","content":"Be brief."}]}`)
	if made.status != http.StatusOK {
		t.Fatalf("status %d: %s", made.status, made.body)
	}
	wrong := s.do(http.MethodPost, "/api/v1/presets/wrong/chat/completions", `{"model":"m/x","temperature":"warm","messages":[{"role":"user","content":"x"}]}`)
	if failure := wrong.failed(t, http.StatusBadRequest); !strings.Contains(failure.Message, "'temperature' must be a number") {
		t.Errorf("message %q", failure.Message)
	}
	if got := s.ask(question("@preset/mine")); got.status != http.StatusOK || !strings.Contains(string(only.last(t).Body), "Be brief.") {
		t.Errorf("the owner's request: status %d, %s", got.status, got.body)
	}
	calls := only.calls()
	s.ask(question("m/x@preset/mine"), as...).failed(t, http.StatusNotFound)
	s.do(http.MethodGet, preset, "", as...).failed(t, http.StatusNotFound)
	s.do(http.MethodDelete, preset, "", as...).failed(t, http.StatusNotFound)
	if only.calls() != calls {
		t.Error("the provider was asked with another key's preset")
	}
	if got := s.do(http.MethodDelete, preset, ""); got.status != http.StatusOK {
		t.Errorf("status %d: %s", got.status, got.body)
	}
	s.ask(question("@preset/mine")).failed(t, http.StatusNotFound)
}

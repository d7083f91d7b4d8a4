package dialect_test

import (
	"fmt"
	"net/http/httptest"
	"testing"

	"github.com/switchyard/switchyard/extproc/dialect/anthropic"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
)

// TestTranscriptHoldsWhatWasSaid holds that every way from a provider to a client keeps
// the answer's text, passed or translated, for the tokens that nobody counts.
func TestTranscriptHoldsWhatWasSaid(t *testing.T) {
	clients := speakers(t)
	clients = append(clients,
		speaker{"whole chat", openai.Client{}, `{"model":"m/x","messages":[`, `{"role":"user","content":"%s"}`, ``, `]}`},
		speaker{"whole messages", anthropic.Client{}, `{"model":"m/x","max_tokens":9,"messages":[`, `{"role":"user","content":"%s"}`, ``, `]}`})
	for _, s := range textual {
		for _, c := range clients {
			for _, gives := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/provider streams=%t", s.name, c.name, gives), func(t *testing.T) {
					request, err := c.client.Parse([]byte(c.open + fmt.Sprintf(c.user, "hi") + c.shut))
					if err != nil {
						t.Fatal(err)
					}
					response := httptest.NewRecorder()
					if gives {
						response.Header().Set("Content-Type", s.streams())
					}
					response.WriteString(fussy[s.dialect.Name()][gives])
					_, progress := s.carryTo(t, c.client, request, response, meta)
					thought := map[string]string{"cohere": "d", "ollama": "d"}[s.dialect.Name()]
					if kept := progress.Transcript; kept.Text(0) != "a" || kept.Reasoning(0) != thought || progress.OutputBytes != int64(len("a"+thought+"f{}")) {
						t.Errorf("kept %q, %q; %d bytes", kept.Text(0), kept.Reasoning(0), progress.OutputBytes)
					}
				})
			}
		}
	}
}

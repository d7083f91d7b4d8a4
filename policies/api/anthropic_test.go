package api

import (
	"strings"
	"testing"
)

// Anthropic's SDKs list models at the path that OpenAI's do, and read their own form.
func TestModelsForAnthropicsClients(t *testing.T) {
	options := market(t)
	page := ask(options, "GET", "/v1/models", "anthropic-version", "2023-06-01").Body.String()
	listed := decode[struct {
		Data    []map[string]any `json:"data"`
		HasMore *bool            `json:"has_more"`
		FirstID string           `json:"first_id"`
		LastID  string           `json:"last_id"`
	}](t, ask(options, "GET", "/v1/models", "anthropic-version", "2023-06-01"))
	if len(listed.Data) < 2 || listed.HasMore == nil || *listed.HasMore || listed.FirstID != listed.Data[0]["id"] || listed.LastID != listed.Data[len(listed.Data)-1]["id"] {
		t.Fatalf("a page is %s", page)
	}
	one := ask(options, "GET", "/v1/models/"+listed.FirstID, "anthropic-version", "2023-06-01").Body.String()
	for _, want := range []string{`"type":"model"`, `"id":"` + listed.FirstID + `"`, `"display_name":"`, `"created_at":"`} {
		if !strings.Contains(one, want) || !strings.Contains(page, want) {
			t.Errorf("%s is neither in %s nor in %s", want, one, page)
		}
	}
	if others := ask(options, "GET", "/v1/models").Body.String(); strings.Contains(others, "display_name") {
		t.Errorf("others read %s", others)
	}
}

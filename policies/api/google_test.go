package api

import (
	"slices"
	"testing"
)

func TestGoogleModels(t *testing.T) {
	options := gateway(t)
	for _, target := range []string{"/v1beta/models", "/api/v1beta/models?pageSize=50", "/v1/models", "/api/v1/models"} {
		page := decode[struct {
			Models []googleModel `json:"models"`
			Data   []any         `json:"data"`
		}](t, ask(options, "GET", target, "X-Goog-Api-Key", "sk"))
		if len(page.Models) == 0 || len(page.Data) != 0 {
			t.Fatalf("%s: %+v", target, page)
		}
		first := page.Models[slices.IndexFunc(page.Models, func(m googleModel) bool { return m.BaseModelID == "m/a" })]
		if first.Name != "models/"+first.BaseModelID || first.DisplayName == "" || !slices.Contains(first.SupportedGenerationMethods, "generateContent") {
			t.Errorf("%s: %+v", target, first)
		}
		for _, path := range []string{"/v1/" + first.Name, "/v1beta/" + first.Name} {
			if got := decode[googleModel](t, ask(options, "GET", path, "X-Goog-Api-Key", "sk")); got.Name != first.Name {
				t.Errorf("%s: %+v", path, got)
			}
		}
	}
	wantError(t, ask(options, "GET", "/v1beta/models/no/such"), 404, "not_found")
	// All others read the list as ever.
	if page := decode[struct {
		Data []any `json:"data"`
	}](t, ask(options, "GET", "/v1/models")); len(page.Data) == 0 {
		t.Error("no models for others")
	}
}

package config

import (
	"strings"
	"testing"
)

// Of a model that the built-in catalog knows with a date, and of one that it does not.
const expiring = "providers: {openai: }\nmodels: {openai/gpt-4o: {%s}, a/b: {%s, endpoints: [{provider: openai, prices: {prompt: 0}}]}}\n"

// A date that models states is kept to; one of a catalog is shown, and printed so that
// it means the same when it is read again.
func TestDatesOfModelsAreKeptTo(t *testing.T) {
	for given, want := range map[string]bool{
		"expiration_date: 2020-01-31":                        true,
		"expiration_date: 2020-01-31, refuse_expired: false": false,
	} {
		effective := parse(t, strings.ReplaceAll(expiring, "%s", given))
		for _, id := range []string{"openai/gpt-4o", "a/b"} {
			if got := effective.Config().GetModels()[id]; got.GetExpirationDate() != "2020-01-31" || got.GetRefuseExpired() != want {
				t.Errorf("%s: %s, refused: %v", given, id, got.GetRefuseExpired())
			}
		}
	}
	dated := 0
	for id, model := range parse(t, "providers: {openai: }\n").Config().GetModels() {
		if model.GetExpirationDate() == "" {
			continue
		}
		if dated++; model.RefuseExpired == nil || model.GetRefuseExpired() {
			t.Errorf("%s of the catalog is refused from %s on", id, model.GetExpirationDate())
		}
	}
	if dated == 0 {
		t.Error("the catalog has no dates, which the test is about")
	}
	_, err := Parse("test.yaml", []byte(strings.ReplaceAll(expiring, "%s", "expiration_date: soon")), world())
	if err == nil || !strings.Contains(err.Error(), `models["a/b"].expiration_date: want a day such as 2027-01-31, not "soon"`) {
		t.Errorf("err = %v", err)
	}
}

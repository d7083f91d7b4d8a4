package e2e

import (
	"strings"
	"testing"
)

// A search is asked of the model that was to make it, and of endpoints that can.
func TestRow73WebSearch(t *testing.T) {
	r := newRouting(t)
	r.offer("m/deaf", r.a.endpoint("1", "1", settings{"supported_parameters": []string{"temperature"}}))
	r.offer("m/searching",
		r.a.endpoint("1", "1", settings{"supported_parameters": []string{"temperature"}}),
		r.b.endpoint("2", "2", settings{"supported_parameters": []string{"web_search_options"}}),
	)
	r.start()
	body := question("m/deaf", `"models":["m/searching:online"]`)
	if slug := r.served(t, body); slug != "a" {
		t.Errorf("served by %q", slug)
	}
	if _, searches := r.a.last(t).JSON["web_search_options"]; searches {
		t.Error("the model before the one that is to search was told to search")
	}
	r.quiet(r.a)
	if got := r.ask(body); got.status != 200 || r.asked() != "a b" {
		t.Errorf("asked %q, status %d: %s", r.asked(), got.status, got.body)
	}
	if _, searches := r.b.last(t).JSON["web_search_options"]; !searches {
		t.Error("the provider was not told to search")
	}
	r.quiet()
	if got := r.ask(question("m/deaf:online")); got.status != 404 || !strings.Contains(got.body, "can search the web") || r.asked() != "" {
		t.Errorf("asked %q, status %d: %s", r.asked(), got.status, got.body)
	}
}

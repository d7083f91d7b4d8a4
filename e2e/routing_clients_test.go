package e2e

import (
	"cmp"
	"strings"
	"testing"
)

// preference is what the SDKs' users ask for, each in their SDK's own words.
type preference struct {
	name, model string
	members     settings
	down        func(*routing) []*site
	asked       string // the providers, in order; "" for any one of them
}

var preferences = []preference{
	{name: "row 20: order", members: settings{"provider": settings{"order": []any{"c", "a"}}}, asked: "c"},
	{name: "row 21: order and fallback", members: settings{"provider": settings{"order": []any{"c", "a"}}},
		down: func(r *routing) []*site { return []*site{r.c} }, asked: "c a"},
	{name: "row 25: only", members: settings{"provider": settings{"only": []any{"b"}}}, asked: "b"},
	{name: "row 28: ignore", members: settings{"provider": settings{"ignore": []any{"a", "b"}}}, asked: "c"},
	{name: "row 34: quantizations", members: settings{"provider": settings{"quantizations": []any{"fp8"}}}, asked: "b"},
	{name: "row 37: sort", members: settings{"provider": settings{"sort": "price"}}, asked: "a"},
	{name: "row 46: max_price", members: settings{"provider": settings{"max_price": settings{"prompt": "1"}}}, asked: "a"},
	{name: "row 64: models", model: "m/down", members: settings{
		"models": []any{"m/x"}, "provider": settings{"sort": "price"},
	}, asked: "d a"},
	{name: "row 71: nitro", model: "m/x:nitro"},
	{name: "row 72: floor", model: "m/x:floor", asked: "a"},
}

// routingClients is a gateway for the preferences, with a model that is down.
func routingClients(t *testing.T) *routing {
	t.Helper()
	r := newRouting(t)
	r.offer("m/down", r.openAI("d").endpoint("1", "1"))
	r.start()
	return r
}

func TestClientsPreferences(t *testing.T) {
	r := routingClients(t)
	down := r.sites[len(r.sites)-1]
	for _, client := range append(openAIClients(t), openRouterClients(t)...) {
		for _, test := range preferences {
			t.Run(client.name+" "+test.name, func(t *testing.T) {
				failing := []*site{down}
				if test.down != nil {
					failing = append(failing, test.down(r)...)
				}
				members := test.members
				if members == nil {
					members = settings{}
				}
				for _, scenario := range []string{"chat", "stream"} {
					r.quiet(failing...)
					seen := client.callWith(t, r.stage, scenario, cmp.Or(test.model, "m/x"), members)
					if seen.Error != nil || seen.Text != said || seen.Model != "m/x" {
						t.Errorf("%s: text %q, model %q, error %+v", scenario, seen.Text, seen.Model, seen.Error)
					}
					if asked := r.asked(); test.asked != "" && asked != test.asked {
						t.Errorf("%s: asked %q, want %q", scenario, asked, test.asked)
					}
				}
			})
		}
	}
}

// Users of the SDKs see why nobody can serve them.
func TestRow59ClientsSeeTheFunnel(t *testing.T) {
	r := routingClients(t)
	nobody := settings{"provider": settings{"only": []any{"zzz"}}}
	for _, client := range append(openAIClients(t), openRouterSDKs(t)...) {
		t.Run(client.name, func(t *testing.T) {
			seen := client.callWith(t, r.stage, "chat", "m/x", nobody)
			if seen.Error == nil || seen.Error.Status == nil || *seen.Error.Status != 404 || !strings.Contains(seen.Error.Message, "zzz") {
				t.Fatalf("error %+v", seen.Error)
			}
			details, _ := seen.Error.Body["metadata"].(map[string]any)
			if funnel, _ := details["routing_funnel"].([]any); len(funnel) < 2 {
				t.Errorf("metadata %v", details)
			}
		})
	}
}

// OpenRouter's SDKs read the router's metadata strictly.
func TestRow113OpenRouterSDKsReadTheMetadata(t *testing.T) {
	r := routingClients(t)
	for _, client := range openRouterSDKs(t) {
		if seen := client.call(t, r.stage, "metadata", "m/x"); seen.Requested != "m/x" || seen.Strategy != "direct" {
			t.Errorf("%s: %+v, error %+v", client.name, seen, seen.Error)
		}
	}
}

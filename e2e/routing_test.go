package e2e

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/e2e/provider"
)

// Who is asked, and in which order, follows from the request's `provider` and from
// the policy of its key. Where chance has a part, the requests are many.
func TestProviderPreferences(t *testing.T) {
	r := newRouting(t)
	r.offer("m/quantized",
		r.a.endpoint("1", "1", settings{"quantization": "bf16"}),
		r.b.endpoint("2", "2", settings{"quantization": "fp8"}),
		r.c.endpoint("3", "3", settings{"quantization": "mxfp8"}),
	)
	r.offer("m/tools",
		r.a.endpoint("1", "1", settings{"supported_parameters": []any{"temperature"}}),
		r.b.endpoint("2", "2"),
	)
	r.offer("m/mixed",
		r.a.endpoint("1", "1", settings{"data_policy": settings{"no_training": true}}),
		r.b.endpoint("2", "2", settings{"data_policy": settings{"no_training": true, "no_retention": true}}),
	)
	ignoresB := r.admit("ignores-b", settings{"ignore": []any{"b"}})
	zdr := r.admit("zdr", settings{"zdr": true})
	const tool = `"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}]`
	tests := []struct {
		name, model, member, key string
		down                     []*site
		times                    int
		asked                    string // for each request
	}{
		{name: "row 20: order", member: `"provider":{"order":["c","a"]}`, times: 20, asked: "c"},
		{name: "row 21: order and fallback", member: `"provider":{"order":["c","a"]}`, down: []*site{r.c}, times: 5, asked: "c a"},
		{name: "row 21: the others come last", member: `"provider":{"order":["c","a"]}`, down: []*site{r.c, r.a}, times: 5, asked: "c a b"},
		{name: "row 22: order skips who does not serve the model", member: `"provider":{"order":["openai","b"]}`, times: 20, asked: "b"},
		{name: "row 25: only", member: `"provider":{"only":["b"]}`, times: 20, asked: "b"},
		{name: "row 28: ignore", member: `"provider":{"ignore":["a"],"sort":"price"}`, times: 20, asked: "b"},
		{name: "row 28: ignore wins over only", member: `"provider":{"ignore":["a"],"only":["a","c"]}`, times: 20, asked: "c"},
		{name: "row 29: ignore of key and request", member: `"provider":{"ignore":["a"]}`, key: ignoresB, times: 20, asked: "c"},
		{name: "row 34: quantizations", model: "m/quantized", member: `"provider":{"quantizations":["fp8"],"sort":"price"}`,
			times: 5, asked: "b"},
		{name: "row 34: a format of the family", model: "m/quantized", member: `"provider":{"quantizations":["fp8"],"sort":"price"}`,
			down: []*site{r.b}, times: 1, asked: "b c"},
		{name: "row 37: sort by price", member: `"provider":{"sort":"price"}`, times: 50, asked: "a"},
		{name: "row 37: sort by price, all the way", member: `"provider":{"sort":"price"}`, down: []*site{r.a, r.b}, times: 1, asked: "a b c"},
		{name: "row 46: max_price in text, inclusive", member: `"provider":{"max_price":{"prompt":"1"}}`, times: 20, asked: "a"},
		{name: "row 51: zdr", model: "m/mixed", member: `"provider":{"zdr":true}`, times: 20, asked: "b"},
		{name: "row 52: zdr cannot be relaxed", model: "m/mixed", member: `"provider":{"zdr":false}`, key: zdr, times: 20, asked: "b"},
		{name: "row 54: tools", model: "m/tools", member: tool, times: 20, asked: "b"},
	}
	// Each case has a model of its own: what fails in one must not steer another.
	own := func(i int) string { return "case/" + strconv.Itoa(i) }
	for i, test := range tests {
		r.models[own(i)] = r.models[cmp.Or(test.model, "m/x")]
	}
	r.start()
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for range test.times {
				r.quiet(test.down...)
				r.served(t, question(own(i), test.member), "Authorization", "Bearer "+cmp.Or(test.key, clientKey))
				if asked := r.asked(); asked != test.asked {
					t.Fatalf("asked %q, want %q", asked, test.asked)
				}
			}
		})
	}
}

// Without fallbacks the first provider's failure is the answer.
func TestNoFallbacks(t *testing.T) {
	r := newRouting(t)
	r.start()
	for _, test := range []struct {
		name, preferences string
		down              []*site
		attempts          int
	}{
		{"row 23: order", `{"order":["c"],"allow_fallbacks":false}`, []*site{r.c}, 1},
		{"row 23: order of two", `{"order":["c","b"],"allow_fallbacks":false}`, []*site{r.b, r.c}, 2},
		{"row 24: sort", `{"sort":"price","allow_fallbacks":false}`, []*site{r.a}, 1},
		{"row 24: balanced", `{"allow_fallbacks":false}`, []*site{r.a, r.b, r.c}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			r.quiet(test.down...)
			said := r.ask(question("m/x", `"provider":`+test.preferences)).failed(t, 503)
			if !strings.Contains(said.Message, "is down") {
				t.Errorf("message %q is not the provider's", said.Message)
			}
			if asked := strings.Fields(r.asked()); len(asked) != test.attempts {
				t.Errorf("asked %v, want %d attempts", asked, test.attempts)
			}
		})
	}
}

// A request that nobody can serve says why, and nobody is asked.
func TestNobodyCanServe(t *testing.T) {
	r := newRouting(t)
	r.offer("m/trains", r.a.endpoint("1", "1", settings{"data_policy": settings{}}))
	allowsAB := r.admit("allows-ab", settings{"only": []any{"a", "b"}})
	r.start()
	for _, test := range []struct {
		name, model, preferences, key string
		says                          []string
		code                          string // of the availability, "" for any
		excludedBy, field             string
	}{
		{name: "row 26: only misses", preferences: `{"only":["zzz"]}`,
			says: []string{"No allowed providers are available for the selected model", "a, b, c", "zzz"}},
		{name: "row 27: only beside the key's policy", preferences: `{"only":["c"]}`, key: allowsAB,
			says: []string{"No allowed providers are available for the selected model"}},
		{name: "row 45: max_price", preferences: `{"max_price":{"prompt":0.5,"completion":0.5}}`,
			says: []string{"No endpoints found that satisfy the max price for this request"},
			code: "constraint_filtered", excludedBy: "max_price", field: "max_price"},
		{name: "row 50: data_collection", model: "m/trains", preferences: `{"data_collection":"deny"}`,
			code: "privacy_restricted", excludedBy: "data_policy:training"},
		{name: "row 51: zdr", model: "m/trains", preferences: `{"zdr":true}`,
			code: "privacy_restricted", excludedBy: "data_policy:zdr"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r.quiet()
			said := r.ask(question(cmp.Or(test.model, "m/x"), `"provider":`+test.preferences),
				"Authorization", "Bearer "+cmp.Or(test.key, clientKey)).failed(t, 404)
			for _, words := range test.says {
				if !strings.Contains(said.Message, words) {
					t.Errorf("message %q does not say %q", said.Message, words)
				}
			}
			if test.code != "" && said.Availability.Code != test.code {
				t.Errorf("availability %q, want %q", said.Availability.Code, test.code)
			}
			if test.excludedBy != "" && !slices.Contains(said.Availability.ExcludedBy, test.excludedBy) {
				t.Errorf("excluded by %v, want %s", said.Availability.ExcludedBy, test.excludedBy)
			}
			if test.field != "" && said.Availability.Constraint.Field != test.field {
				t.Errorf("constraint %+v, want field %s", said.Availability.Constraint, test.field)
			}
			checkFunnel(t, said)
			if asked := r.asked(); asked != "" {
				t.Errorf("asked %q", asked)
			}
		})
	}
}

// checkFunnel is row 59: each step with what it left, down to the one that left
// nothing.
func checkFunnel(t *testing.T, said failure) {
	t.Helper()
	funnel, _ := said.Metadata["routing_funnel"].([]any)
	if len(funnel) < 2 {
		t.Fatalf("row 59: funnel %v", said.Metadata["routing_funnel"])
	}
	first, _ := funnel[0].(map[string]any)
	last, _ := funnel[len(funnel)-1].(map[string]any)
	if first["step"] != "Initial Endpoints" || first["endpoint_count"] == 0.0 {
		t.Errorf("row 59: the first step is %v", first)
	}
	if last["endpoint_count"] != 0.0 || last["step"] != said.Metadata["failed_routing_step"] {
		t.Errorf("row 59: the last step is %v, failed_routing_step %v", last, said.Metadata["failed_routing_step"])
	}
}

// At $1 and $3 the first is A nine times out of ten.
func TestRow42BalanceByPrice(t *testing.T) {
	const requests = 300
	r := newRouting(t)
	r.offer("m/two", r.a.endpoint("1", "1"), r.c.endpoint("3", "3"))
	r.start()
	for range requests {
		r.served(t, question("m/two"))
	}
	// Five standard deviations of 300 trials at nine in ten are 26.
	if got := r.a.calls(); got < 244 || got > 296 {
		t.Errorf("A served %d of %d requests, want about 270", got, requests)
	}
	if got := r.a.calls() + r.c.calls(); got != requests {
		t.Errorf("%d attempts for %d requests", got, requests)
	}
}

// The tokens of a request that moved on are not charged twice, and the price is
// that of who served it (known-failures 14).
func TestRow60FallbackByPrice(t *testing.T) {
	r := newRouting(t)
	r.start()
	for _, status := range []int{503, 429} { // 429 is row 61
		r.quiet()
		r.a.Default(provider.Failure{Status: status})
		got := r.ask(question("m/x", `"provider":{"order":["a","b"]}`)).decode(t)
		if got.Provider != "b" || got.Usage == nil || got.Usage.Cost == nil || !near(*got.Usage.Cost, (11+7)*2e-6) {
			t.Errorf("after %d: provider %q, usage %+v", status, got.Provider, got.Usage)
		}
		if asked := r.asked(); asked != "a b" {
			t.Errorf("after %d: asked %q", status, asked)
		}
	}
}

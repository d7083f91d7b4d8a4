package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/e2e/provider"
)

// routing is a gateway whose models are balanced by price, with the providers A,
// B and C of the specification's conformance rows.
type routing struct {
	*stage
	a, b, c *site
}

// newRouting serves m/x at A for $1, at B for $2 and at C for $3.
func newRouting(t *testing.T) *routing {
	t.Helper()
	s := newStage(t)
	r := &routing{stage: s, a: s.openAI("a"), b: s.openAI("b"), c: s.openAI("c")}
	r.offer("m/x",
		r.a.endpoint("1", "1", settings{"quantization": "bf16"}),
		r.b.endpoint("2", "2", settings{"quantization": "fp8"}),
		r.c.endpoint("3", "3"),
	)
	return r
}

// offer adds a model that is balanced by price.
func (r *routing) offer(id string, endpoints ...settings) {
	listed := make([]any, len(endpoints))
	for i, endpoint := range endpoints {
		listed[i] = endpoint
	}
	r.models[id] = settings{"balance": "price", "endpoints": listed}
}

// admit adds a key under a policy.
func (r *routing) admit(name string, policy settings) (key string) {
	key = "sk-sy-v1-" + name
	r.config["keys"] = append(r.config["keys"].([]any), settings{"name": name, "hash": hash(key), "policy": policy})
	return key
}

// quiet forgets what the providers have seen, and lets some of them fail.
func (r *routing) quiet(down ...*site) {
	for _, at := range r.sites {
		at.Reset()
		if slices.Contains(down, at) {
			at.Default(provider.Failure{Status: 503, Message: at.slug + " is down"})
		}
	}
}

// asked are the slugs of the providers that were asked, in the order of arrival.
func (r *routing) asked() string {
	var all []*provider.Exchange
	slugs := map[*provider.Exchange]string{}
	for _, at := range r.sites {
		for _, exchange := range at.Exchanges() {
			all = append(all, exchange)
			slugs[exchange] = at.slug
		}
	}
	slices.SortFunc(all, func(x, y *provider.Exchange) int { return x.Arrived.Compare(y.Arrived) })
	names := make([]string, len(all))
	for i, exchange := range all {
		names[i] = slugs[exchange]
	}
	return strings.Join(names, " ")
}

// served is the provider that answers a request.
func (r *routing) served(t *testing.T, body string, header ...string) string {
	t.Helper()
	got := r.ask(body, header...)
	if got.status != 200 {
		t.Fatalf("status %d: %s", got.status, got.body)
	}
	return got.decode(t).Provider
}

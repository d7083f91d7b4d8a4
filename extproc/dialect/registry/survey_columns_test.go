package registry_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/registry"
	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/config/configpb"
)

// column is a provider dialect as one of its vendors serves it.
type column struct {
	title   string
	dialect string // its name in the registry
	target  dialect.Target
}

// columns are the provider dialects in the order of the table. Where vendors of one
// dialect, or a vendor's models, differ in what they take, each has a column.
var columns = []column{
	{"openai", "openai", dialect.Target{Model: "gpt-5", Base: "/v1", Strict: true}},
	{"openai, compatible", "openai", dialect.Target{Model: "llama-3.3", Base: "/v1"}},
	{"openai_responses", "openai_responses", dialect.Target{Model: "gpt-5", Base: "/v1", Endpoint: "m/x|here", Strict: true}},
	{"azure", "azure", dialect.Target{Model: "gpt-5", Base: "/openai/v1", Strict: true}},
	{"anthropic", "anthropic", dialect.Target{Model: "claude-sonnet-4-5", Base: "/v1"}},
	{"anthropic_bedrock", "anthropic_bedrock", dialect.Target{Model: "us.anthropic.claude-sonnet-4-5-20250929-v1:0"}},
	{"anthropic_vertex", "anthropic_vertex", dialect.Target{Model: "claude-sonnet-4-5@20250929", Base: "/v1/publishers/anthropic"}},
	{"bedrock, Claude", "bedrock", dialect.Target{Model: "us.anthropic.claude-sonnet-4-5-20250929-v1:0"}},
	{"bedrock, Nova", "bedrock", dialect.Target{Model: "us.amazon.nova-pro-v1:0"}},
	{"gemini", "gemini", dialect.Target{Model: "gemini-2.5-flash", Base: "/v1beta"}},
	{"gemini on Vertex", "gemini", dialect.Target{Model: "gemini-3-flash-preview", Base: "/v1/projects/p/locations/global/publishers/google"}},
	{"cohere", "cohere", dialect.Target{Model: "command-a-03-2025", Base: "/v2"}},
	{"ollama", "ollama", dialect.Target{Model: "llama3.2", Base: "/api"}},
}

func (c column) provider() dialect.Provider { return registry.Providers()[c.dialect] }

// TestSurveyHasEveryProvider fails until a dialect that was added to the registry has a
// column.
func TestSurveyHasEveryProvider(t *testing.T) {
	surveyed := map[string]bool{}
	for _, c := range columns {
		surveyed[c.dialect] = true
	}
	if known := registry.Providers(); !maps.EqualFunc(known, surveyed, func(dialect.Provider, bool) bool { return true }) {
		t.Errorf("registered are %v, in columns are %v", slices.Sorted(maps.Keys(known)), slices.Sorted(maps.Keys(surveyed)))
	}
}

// TestEveryDialectHasTraits holds that the registry, the configuration and the catalog
// know the same dialects.
func TestEveryDialectHasTraits(t *testing.T) {
	var configured []string
	for value, name := range configpb.Dialect_name {
		if value != 0 {
			configured = append(configured, strings.ToLower(strings.TrimPrefix(name, "DIALECT_")))
		}
	}
	slices.Sort(configured)
	registered := slices.Sorted(maps.Keys(registry.Providers()))
	if !slices.Equal(configured, registered) {
		t.Errorf("the configuration has the dialects %v, the registry %v", configured, registered)
	}
	for _, name := range registered {
		if (&catalog.Endpoint{Provider: &catalog.Provider{Dialect: name}}).Parameters() == nil {
			t.Errorf("the catalog does not know what %s can say", name)
		}
	}
}

package quota

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

func TestSameBudgets(t *testing.T) {
	limits := func() *configpb.Limits { return &configpb.Limits{Budget: "5"} }
	before := &configpb.Config{
		Keys:       []*configpb.Key{{Name: "a", Hash: "1"}},
		Models:     map[string]*configpb.Model{"m/x": {}},
		Providers:  map[string]*configpb.Provider{"p": {}},
		Guardrails: map[string]*configpb.Guardrail{"g": {}},
	}
	for name, test := range map[string]struct {
		change func(*configpb.Config)
		want   bool
	}{
		"nothing":                  {func(*configpb.Config) {}, true},
		"another model":            {func(c *configpb.Config) { c.Models["m/y"] = &configpb.Model{} }, true},
		"another key":              {func(c *configpb.Config) { c.Keys = append(c.Keys, &configpb.Key{Hash: "2", Limits: limits()}) }, true},
		"a key that went":          {func(c *configpb.Config) { c.Keys = nil }, true},
		"a key's name":             {func(c *configpb.Config) { c.Keys[0].Name = "b" }, true},
		"a key's limits":           {func(c *configpb.Config) { c.Keys[0].Limits = limits() }, false},
		"a key's guardrail":        {func(c *configpb.Config) { c.Keys[0].Guardrail = "g" }, false},
		"the default guardrail":    {func(c *configpb.Config) { c.DefaultGuardrail = "g" }, false},
		"a guardrail":              {func(c *configpb.Config) { c.Guardrails["g"].Budget = "5" }, false},
		"limits of every key":      {func(c *configpb.Config) { c.Limits = limits() }, false},
		"limits of all keys":       {func(c *configpb.Config) { c.TotalLimits = limits() }, false},
		"limits of organisations":  {func(c *configpb.Config) { c.OrganizationLimits = limits() }, false},
		"limits of a model":        {func(c *configpb.Config) { c.Models["m/x"].Limits = limits() }, false},
		"limits of a new model":    {func(c *configpb.Config) { c.Models["m/y"] = &configpb.Model{Limits: limits()} }, false},
		"limits of a provider":     {func(c *configpb.Config) { c.Providers["p"].Limits = limits() }, false},
		"limits of a new provider": {func(c *configpb.Config) { c.Providers["q"] = &configpb.Provider{Limits: limits()} }, false},
	} {
		after := proto.CloneOf(before)
		test.change(after)
		if got := SameBudgets(before, after); got != test.want {
			t.Errorf("%s: %t, want %t", name, got, test.want)
		}
	}
}

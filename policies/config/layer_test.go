package config

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

func TestLayerWinsFieldByField(t *testing.T) {
	flex := &configpb.Endpoint{Provider: "alpha", ServiceTier: "flex", ContextLength: 1}
	below := &configpb.Config{Models: map[string]*configpb.Model{
		"m/x": {Name: "X", ContextLength: 8, Endpoints: []*configpb.Endpoint{
			{Provider: "alpha", Model: "x", ContextLength: 8, Prices: &configpb.Prices{Prompt: "1", CacheRead: "0.1"}},
			flex,
		}},
		"m/y": {Name: "Y"},
	}}
	above := &configpb.Config{
		Providers: map[string]*configpb.Provider{"beta": {Name: "Beta"}},
		Models: map[string]*configpb.Model{
			"m/x": {ContextLength: 16, Endpoints: []*configpb.Endpoint{
				{Provider: "beta", Model: "b"},
				{Provider: "alpha", Prices: &configpb.Prices{Prompt: "2"}},
				{Provider: "alpha", Tag: "alpha/flex", Disabled: true},
			}},
			"m/z": {Name: "Z"},
		},
	}
	before := proto.CloneOf(above)
	layer(below, above)
	want := &configpb.Config{
		Providers: map[string]*configpb.Provider{"beta": {Name: "Beta"}},
		Models: map[string]*configpb.Model{
			"m/x": {Name: "X", ContextLength: 16, Endpoints: []*configpb.Endpoint{
				{Provider: "alpha", Model: "x", ContextLength: 8, Prices: &configpb.Prices{Prompt: "2", CacheRead: "0.1"}},
				{Provider: "alpha", Tag: "alpha/flex", ServiceTier: "flex", ContextLength: 1, Disabled: true},
				{Provider: "beta", Model: "b"},
			}},
			"m/y": {Name: "Y"},
			"m/z": {Name: "Z"},
		},
	}
	if !proto.Equal(below, want) {
		t.Errorf("got  %v\nwant %v", below, want)
	}
	if !proto.Equal(above, before) {
		t.Error("the upper catalog was changed")
	}
}

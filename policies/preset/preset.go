// Package preset keeps parts of requests that clients ask for by name: those of
// the configuration, and those that clients create from a request (spec section
// 3.6). Merging one into a request is for the dialect of the request to do.
package preset

import (
	"fmt"
	"regexp"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// Preset is one version of a preset. It never changes.
type Preset struct {
	Slug string
	// Version counts from 1. A preset of the configuration has no other.
	Version int
	// Name and Description are for people; "" for presets that clients created.
	Name, Description string
	// Config is a JSON object of members of a request. Do not change it.
	Config jsontext.Value
	// SystemPrompt goes in front of the conversation; "" is none.
	SystemPrompt string
}

// slugs is what a preset may be called, in the configuration too.
var slugs = regexp.MustCompile("^[a-z0-9][a-z0-9-]{0,62}$")

// fromConfig reads the presets of a configuration, which has been checked.
// FromConfig are the presets of a configuration, by slug.
func FromConfig(cfg *configpb.Config) (map[string]Preset, error) {
	presets := make(map[string]Preset, len(cfg.GetPresets()))
	for slug, from := range cfg.GetPresets() {
		members := from.GetConfig().AsMap()
		config, err := json.Marshal(members, json.Deterministic(true))
		if err != nil {
			return nil, fmt.Errorf("presets[%q].config: %w", slug, err)
		}
		presets[slug] = Preset{
			Slug: slug, Version: 1, Name: from.GetName(), Description: from.GetDescription(),
			Config: config, SystemPrompt: from.GetSystemPrompt(),
		}
	}
	return presets, nil
}

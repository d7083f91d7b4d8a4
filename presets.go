package main

import (
	"errors"
	"fmt"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/policies/preset"
	"github.com/switchyard/switchyard/policies/routing"
)

// The least requests of the APIs whose requests become presets, by the end of their
// paths.
var leastRequests = map[string]string{
	"chat/completions": `{"messages":[{"role":"user","content":"x"}]}`,
	"messages":         `{"messages":[{"role":"user","content":"x"}]}`,
	"responses":        `{"input":"x"}`,
}

// checkPreset says what is wrong with a preset before anybody asks for it: it is merged
// into the least request of an API, and read as the data path reads that.
func checkPreset(api string, p dialect.Preset) error {
	client, _ := clients.At("/api/v1/" + api)
	presetter, ok := client.(dialect.Presetter)
	if !ok || leastRequests[api] == "" {
		return fmt.Errorf("no presets are made of requests to %q", api)
	}
	body, err := presetter.WithPreset([]byte(leastRequests[api]), p)
	if err != nil {
		return err
	}
	request, err := client.Parse(body)
	if err != nil {
		return err
	}
	_, err = routing.ParsePreferences(request.Provider, request.Plugins, request.Transforms, request.Route)
	return err
}

// checkPresets checks those of the configuration. Clients of all APIs may ask for them;
// they are written in the words of Chat Completions.
func checkPresets(presets map[string]preset.Preset) error {
	var failures []error
	for slug, p := range presets {
		if err := checkPreset("chat/completions", dialect.Preset{Config: p.Config, SystemPrompt: p.SystemPrompt}); err != nil {
			failures = append(failures, fmt.Errorf("presets[%q].config: %w", slug, err))
		}
	}
	return errors.Join(failures...)
}

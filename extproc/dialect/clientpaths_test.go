package dialect_test

import (
	"testing"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/anthropic"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
)

func TestClientsAreFoundByPath(t *testing.T) {
	clients := dialect.Clients{
		"/v1/messages":      anthropic.Client{},
		"/v1/models/":       openai.Completions{},
		"/v1/models/tuned/": openai.Client{},
	}
	for path, want := range map[string]dialect.Client{
		"/v1/messages":              anthropic.Client{},
		"/v1/messages/":             nil,
		"/v1/messages/count_tokens": nil,
		"/v1/models/m:generate":     openai.Completions{},
		"/v1/models/a/m:generate":   openai.Completions{},
		"/v1/models/tuned/m":        openai.Client{},
		"/v1/models":                nil,
		"/v2/models/m":              nil,
		"models":                    nil,
		"":                          nil,
	} {
		if got, found := clients.At(path); got != want || found != (want != nil) {
			t.Errorf("%q is of %T, want %T", path, got, want)
		}
	}
}

// Package registry lists every dialect that the gateway speaks. A new one is
// registered here and nowhere else.
package registry

//go:generate go test . -run TestSurvival -update

import (
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/anthropic"
	"github.com/switchyard/switchyard/extproc/dialect/azure"
	"github.com/switchyard/switchyard/extproc/dialect/bedrock"
	"github.com/switchyard/switchyard/extproc/dialect/cohere"
	"github.com/switchyard/switchyard/extproc/dialect/gemini"
	"github.com/switchyard/switchyard/extproc/dialect/ollama"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/extproc/dialect/responses"
	"github.com/switchyard/switchyard/extproc/dialect/vertex"
)

// Clients returns the client dialects by path: each under OpenRouter's own and
// under the one that the vendor's SDKs ask for.
func Clients() dialect.Clients {
	return dialect.Clients{
		"/api/v1/chat/completions":     openai.Client{},
		"/v1/chat/completions":         openai.Client{},
		"/api/v1/completions":          openai.Completions{},
		"/v1/completions":              openai.Completions{},
		"/api/v1/embeddings":           openai.Embeddings{},
		"/v1/embeddings":               openai.Embeddings{},
		"/api/v1/rerank":               openai.Rerank{},
		"/v1/rerank":                   openai.Rerank{},
		"/api/v1/images":               openai.OpenRouterImages(),
		"/api/v1/images/generations":   openai.Images(),
		"/v1/images/generations":       openai.Images(),
		"/api/v1/images/edits":         openai.ImageEdits(),
		"/v1/images/edits":             openai.ImageEdits(),
		"/api/v1/images/variations":    openai.ImageVariations(),
		"/v1/images/variations":        openai.ImageVariations(),
		"/api/v1/audio/speech":         openai.OpenRouterSpeech(),
		"/v1/audio/speech":             openai.Speech(),
		"/api/v1/audio/transcriptions": openai.Transcriptions(),
		"/v1/audio/transcriptions":     openai.Transcriptions(),
		"/api/v1/audio/translations":   openai.Translations(),
		"/v1/audio/translations":       openai.Translations(),
		"/api/v1/messages":             anthropic.Client{},
		"/v1/messages":                 anthropic.Client{},
		"/api/v1/responses":            responses.Client{},
		"/v1/responses":                responses.Client{},
		"/api/v1beta/models/":          gemini.Client{},
		"/api/v1/models/":              gemini.Client{},
		"/v1beta/models/":              gemini.Client{},
		"/v1/models/":                  gemini.Client{},
	}
}

// Providers returns the provider dialects by the name that the configuration has
// for them.
func Providers() map[string]dialect.Provider {
	return map[string]dialect.Provider{
		"anthropic":         anthropic.Provider{},
		"anthropic_bedrock": bedrock.Claude{},
		"anthropic_vertex":  vertex.NewAnthropic(),
		"azure":             azure.Provider{},
		"bedrock":           bedrock.Provider{},
		"cohere":            cohere.Provider{},
		"gemini":            gemini.Provider{},
		"ollama":            ollama.Provider{},
		"openai":            openai.Provider{},
		"openai_responses":  responses.Provider{},
	}
}

// ErrorBody writes an error of which no more is known than its status, 400 to 599, and
// a message, as the clients of a path read it. OpenRouter's shape is for paths that no
// dialect is served at.
func ErrorBody(path string, status int, message string) []byte {
	client, known := Clients().At(path)
	if !known {
		client = openai.Client{}
	}
	return client.Error(&dialect.Error{Status: status, Type: dialect.TypeOf(status), Message: message})
}

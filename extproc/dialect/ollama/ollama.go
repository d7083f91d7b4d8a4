// Package ollama speaks Ollama's own API, https://docs.ollama.com/api: chat and
// embeddings.
//
// Ollama speaks OpenAI's dialect as well, but has no words there for the size of the
// context, for how long a model stays loaded and for most sampling, and sets temperature
// and top_p to 1 where the client sets none, whatever the model's file says. Here what
// the client leaves out is the model's to choose.
package ollama

import "github.com/switchyard/switchyard/extproc/dialect"

// Name is the dialect's name.
const Name = "ollama"

// Provider is the dialect as providers speak it. Base URLs end in "/api".
type Provider struct{}

var (
	_ dialect.Provider = Provider{}
	_ dialect.Inliner  = Provider{}
)

// Name returns "ollama".
func (Provider) Name() string { return Name }

// Credential returns a bearer token, which Ollama's cloud and proxies ask for.
func (Provider) Credential(key string) []dialect.Header {
	return []dialect.Header{{Name: "authorization", Value: "Bearer " + key}}
}

// NeedsBytes: Ollama fetches nothing. Films and files it does not take at all.
func (Provider) NeedsBytes(part *dialect.Part, _ dialect.Target) bool {
	return part.Kind == dialect.PartImage || part.Kind == dialect.PartAudio
}

// Decoder reads one answer, a conversation's or vectors.
func (Provider) Decoder() dialect.Decoder { return &decoder{} }

// Failure reads an error, {"error": "…"}.
func (Provider) Failure(status int, body []byte) dialect.ProviderFailure {
	return dialect.ReadFailure(status, body)
}

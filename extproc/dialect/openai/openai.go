// Package openai speaks Chat Completions: as clients of OpenRouter use it, and as
// OpenAI and the many compatible providers serve it.
//
// Beside conversations it has tasks, embeddings and rerank (task.go), and the older
// completions, which become conversations (completions.go).
//
// Between the two nothing is decoded. A request is checked and walked once, and
// copied with a few members changed; a chunk of an answer likewise.
package openai

import "github.com/switchyard/switchyard/extproc/dialect"

// Name is the dialect's name.
const Name = "openai"

// Client is the dialect as clients of the gateway speak it.
type Client struct{}

// Provider is the dialect as providers speak it.
type Provider struct{}

var (
	_ dialect.Client    = Client{}
	_ dialect.Presetter = Client{}
	_ dialect.Replayer  = Client{}
	_ dialect.Provider  = Provider{}
	_ dialect.Passer    = Provider{}
)

// Name returns "openai".
func (Client) Name() string { return Name }

// Marks are those of conversations and tasks alike. Events with images have created_at.
func (Client) Marks() dialect.Marks {
	return dialect.Marks{ID: "id", Usage: "usage", Times: []string{"created", "created_at"}}
}

// Name returns "openai".
func (Provider) Name() string { return Name }

// Credential returns a bearer token.
func (Provider) Credential(key string) []dialect.Header {
	return []dialect.Header{{Name: "authorization", Value: "Bearer " + key}}
}

// ToolName puts a name into the characters that the API takes, and into 64 of them.
func (Provider) ToolName(name string) string { return dialect.PlainID(name, 64) }

// Failure reads an error in OpenAI's shape or a neighbour's.
func (Provider) Failure(status int, body []byte) dialect.ProviderFailure {
	return dialect.ReadFailure(status, body)
}

// Package anthropic speaks the Messages API: as Anthropic and its compatible
// providers serve it, and as Claude Code and the Anthropic SDKs use it.
//
// Between the two a request is read once and copied with a few members changed, and
// an answer's events pass as they are.
//
// The API is strict where Chat Completions is loose: turns alternate, results of
// tools come first, text is never empty, a bound on tokens is demanded. What
// clients say is rearranged until it fits (spec section 9.3); what cannot be said
// is named in Upstream.Dropped.
package anthropic

import "github.com/switchyard/switchyard/extproc/dialect"

// Name is the dialect's name.
const Name = "anthropic"

// Provider is the dialect as providers speak it. Base URLs end in "/v1".
type Provider struct {
	// Hosted is the version of the API where a cloud hosts it, "" at Anthropic and its
	// neighbours. A cloud reads the version in the body and the model in the address,
	// fetches no images or documents, and has tiers of its own.
	Hosted string
	// Betas are the beta features that a cloud knows, by Anthropic's name for each, with
	// its own: clouds refuse a request that names another. Nil stands for all.
	Betas map[string]string
}

var (
	_ dialect.Provider = Provider{}
	_ dialect.Passer   = Provider{}
)

// Name returns "anthropic".
func (Provider) Name() string { return Name }

// Credential returns the API key in a header of its own. A bearer token beside it
// would be refused.
func (Provider) Credential(key string) []dialect.Header {
	return []dialect.Header{{Name: "x-api-key", Value: key}}
}

// ToolName puts a name into the characters that the API takes, and into 128 of them.
func (Provider) ToolName(name string) string { return dialect.PlainID(name, 128) }

// Decoder reads one answer.
func (Provider) Decoder() dialect.Decoder { return &decoder{} }

// Failure reads an error of the Messages API or a neighbour's.
func (Provider) Failure(status int, body []byte) dialect.ProviderFailure {
	return dialect.ReadFailure(status, body)
}

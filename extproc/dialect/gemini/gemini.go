// Package gemini speaks generateContent: as the Gemini API of Google AI Studio and
// Google Cloud's Vertex AI serve it, and as the Google Gen AI SDKs use it.
//
// The API knows two speakers, user and model, and demands that the results of tools
// follow the turn that called them. From the third generation on, models refuse a
// call in the history that lacks the signature of the thought behind it. What
// clients say is rearranged until it fits; what cannot be said is named in
// Upstream.Dropped. Between the two a request is read once and copied with a few members
// changed, and an answer's chunks pass as they are.
package gemini

import (
	"regexp"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// Name is the dialect's name.
const Name = "gemini"

// Provider is the dialect as providers speak it. Base URLs end in "/v1beta" at AI
// Studio, and in "/publishers/google" at Vertex AI; see vertex.go.
type Provider struct{}

var (
	_ dialect.Provider = Provider{}
	_ dialect.Passer   = Provider{}
)

// Name returns "gemini".
func (Provider) Name() string { return Name }

// Credential returns the API key in a header of its own.
func (Provider) Credential(key string) []dialect.Header {
	return []dialect.Header{{Name: "x-goog-api-key", Value: key}}
}

// ToolName is a name that the API takes as it is, or one of letters, digits, '_' and '-'
// that begins with a letter.
func (Provider) ToolName(name string) string {
	if functionName.MatchString(name) {
		return name
	}
	return "tool_" + dialect.PlainID(name, 59)
}

// functionName is what the API's reference has of FunctionDeclaration.
var functionName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$`)

// Decoder reads one answer.
func (Provider) Decoder() dialect.Decoder { return &decoder{} }

// Package cohere speaks the second version of Cohere's API: Chat, Embed and Rerank, as
// https://docs.cohere.com/reference describes them.
//
// The API differs from Chat Completions in more than names. What the model plans before
// it calls tools is a text of its own, results of tools are documents that the model
// cites, citations point into documents instead of at URLs, and usage comes twice: what
// was counted, and what is billed. What is billed counts here.
package cohere

import "github.com/switchyard/switchyard/extproc/dialect"

// Name is the dialect's name.
const Name = "cohere"

// Provider is the dialect as providers speak it. Base URLs end in "/v2".
type Provider struct{}

var _ dialect.Provider = Provider{}

// Name returns "cohere".
func (Provider) Name() string { return Name }

// Credential returns a bearer token.
func (Provider) Credential(key string) []dialect.Header {
	return []dialect.Header{{Name: "authorization", Value: "Bearer " + key}}
}

// ToolName puts a name into the characters that the API takes, and into 64 of them.
func (Provider) ToolName(name string) string { return dialect.PlainID(name, 64) }

// Decoder reads one answer, of whichever endpoint.
func (Provider) Decoder() dialect.Decoder { return &decoder{} }

// Package responses speaks OpenAI's Responses API as clients of OpenRouter use it
// (spec sections 1.1.4 and 4.3): without state, each request bringing the whole of
// its conversation.
//
// No provider is asked in this dialect. A request is read into the neutral form at
// once, and what policy reads is read along with it.
package responses

import "github.com/switchyard/switchyard/extproc/dialect"

// Name is the dialect's name.
const Name = "responses"

// Client is the dialect as clients of the gateway speak it.
type Client struct{}

var _ dialect.Client = Client{}

// Name returns "responses".
func (Client) Name() string { return Name }

// Package responses speaks OpenAI's Responses API: as clients of OpenRouter use it
// (spec sections 1.1.4 and 4.3), and as OpenAI and its compatible providers serve it.
// Either way it is without state, each request bringing the whole of its conversation,
// and nothing is stored.
//
// A request is read into the neutral form at once, and what policy reads is read along
// with it. Between the two it is copied with a few members changed, and an answer's
// events pass as they are.
package responses

import "github.com/switchyard/switchyard/extproc/dialect"

// Name is the dialect's name.
const Name = "responses"

// Client is the dialect as clients of the gateway speak it.
type Client struct{}

var (
	_ dialect.Client   = Client{}
	_ dialect.Replayer = Client{}
)

// Name returns "responses".
func (Client) Name() string { return Name }

// Marks are those of the response object. Some events hold it.
func (Client) Marks() dialect.Marks {
	return dialect.Marks{ID: "id", Usage: "usage", Times: []string{"created_at", "completed_at"}, Holders: []string{"response"}}
}

// Package vertex speaks what Google Cloud's Vertex AI serves of other vendors' models.
// Gemini it serves as AI Studio does; see package gemini.
package vertex

import (
	"net/url"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/anthropic"
	"github.com/switchyard/switchyard/extproc/dialect/gemini"
)

// Anthropic is the Messages API as Vertex AI serves it: the answers are Anthropic's
// own, the addresses and most errors are Google's. Base URLs end in
// "/publishers/anthropic". Source: "Claude on Vertex AI" in Anthropic's documentation,
// and Anthropic's SDKs.
type Anthropic struct{ anthropic.Provider }

var (
	_ dialect.Provider   = Anthropic{}
	_ dialect.Passer     = Anthropic{}
	_ dialect.OwnInliner = Anthropic{}
)

// NewAnthropic returns the dialect. Clients of the Messages API are of the same one:
// its name is "anthropic".
func NewAnthropic() Anthropic {
	return Anthropic{anthropic.Provider{Hosted: "vertex-2023-10-16", Betas: betas}}
}

// betas are those that Vertex AI is known to take. It answers 400 to others, of which
// Claude Code sends some (https://github.com/anthropics/claude-code/issues/49370).
var betas = anthropic.HostedBetas(
	"compact-2026-01-12", "computer-use-2025-01-24", "computer-use-2025-11-24", "context-1m-2025-08-07",
	"context-management-2025-06-27", "interleaved-thinking-2025-05-14", "web-search-2025-03-05",
)

// Request writes a request of the Messages API with the model in its path.
func (a Anthropic) Request(client *dialect.Request, target dialect.Target) (dialect.Upstream, error) {
	made, err := a.Provider.Request(client, target)
	if err != nil {
		return dialect.Upstream{}, err
	}
	made.Path = "/models/" + url.PathEscape(target.Model) + ":rawPredict"
	if client.Stream {
		made.Path = "/models/" + url.PathEscape(target.Model) + ":streamRawPredict"
	}
	return made, nil
}

// NeedsBytes: Vertex AI fetches nothing, whoever asks.
func (Anthropic) NeedsBytes(part *dialect.Part, _ dialect.Target) bool {
	return anthropic.FetchedForHosts(part)
}

// RemoteIn lists what a request of the Messages API names by URL.
func (Anthropic) RemoteIn(request *dialect.Request) []dialect.Remote {
	return anthropic.RemoteIn(request)
}

// Credential returns a key in the header of Google's keys. Most projects take tokens
// alone: see package signing.
func (Anthropic) Credential(key string) []dialect.Header {
	return gemini.Provider{}.Credential(key)
}

// Failure reads an error of the Messages API, or of Google's in front of it.
func (Anthropic) Failure(status int, body []byte) dialect.ProviderFailure {
	return gemini.Provider{}.Failure(status, body)
}

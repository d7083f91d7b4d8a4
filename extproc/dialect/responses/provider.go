package responses

import "github.com/switchyard/switchyard/extproc/dialect"

// Provider is the dialect as providers speak it: OpenAI, and those compatible with it.
// Base URLs end in "/v1".
type Provider struct{}

var (
	_ dialect.Provider = Provider{}
	_ dialect.Passer   = Provider{}
)

// Name returns "responses".
func (Provider) Name() string { return Name }

// Credential returns a bearer token.
func (Provider) Credential(key string) []dialect.Header {
	return []dialect.Header{{Name: "authorization", Value: "Bearer " + key}}
}

// ToolName puts a name into the characters that the API takes, and into 64 of them.
func (Provider) ToolName(name string) string { return dialect.PlainID(name, 64) }

// Bound is the client's, or the least that the API takes.
func (Provider) Bound(client *dialect.Request, target dialect.Target) int64 {
	if client.MaxTokens == 0 || !takesMember(&target, "max_output_tokens") {
		return 0
	}
	return max(client.MaxTokens, leastOutput)
}

// Request writes the request for target. That of a client which speaks the same is
// copied with a few members changed; any other is written anew.
func (Provider) Request(client *dialect.Request, target dialect.Target) (dialect.Upstream, error) {
	if own, same := client.Parsed.(*parsed); same && !client.Rewritten {
		return passRequest(client, own, target), nil
	}
	chat, err := client.Portable()
	if err != nil {
		return dialect.Upstream{}, err
	}
	b := builder{chat: chat, client: client, target: target}
	if err := b.build(); err != nil {
		return dialect.Upstream{}, err
	}
	return upstream(b.dst, client.Stream, b.dropped), nil
}

func upstream(body []byte, stream bool, dropped []string) dialect.Upstream {
	accept := "application/json"
	if stream {
		accept = "text/event-stream"
	}
	return dialect.Upstream{
		Path: "/responses",
		Headers: []dialect.Header{
			{Name: "content-type", Value: "application/json"},
			{Name: "accept", Value: accept},
		},
		Body:    body,
		Dropped: dropped,
	}
}

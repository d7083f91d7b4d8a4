package bedrock

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/anthropic"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// Claude is the Messages API as Bedrock serves it, by InvokeModel: the model is in the
// path, beta features are in the body, and the events of a stream are packed into its
// own. Base URLs end behind the host.
type Claude struct{}

var (
	_ dialect.Provider     = Claude{}
	_ dialect.Passer       = Claude{}
	_ dialect.HeaderFailer = Claude{}
)

// messagesVersion is the only one that Bedrock knows.
const messagesVersion = "bedrock-2023-05-31"

// Name returns "anthropic": clients of the Messages API get the provider's own words.
func (Claude) Name() string { return anthropic.Name }

// Credential returns an API key of Bedrock's as a bearer token.
func (Claude) Credential(key string) []dialect.Header { return bearer(key) }

// Failure reads an error of one of AWS's services.
func (Claude) Failure(status int, body []byte) dialect.ProviderFailure {
	return readFailure("", status, body)
}

// FailureWith reads it with its type, which is in a header.
func (Claude) FailureWith(header func(string) string, status int, body []byte) dialect.ProviderFailure {
	return readFailure(header(errorType), status, body)
}

// Request writes a request of the Messages API, then changes what Bedrock has
// otherwise.
func (Claude) Request(client *dialect.Request, target dialect.Target) (dialect.Upstream, error) {
	tier := target.ServiceTier
	target.ServiceTier = "" // not in the body
	made, err := anthropic.Provider{}.Request(client, target)
	if err != nil {
		return dialect.Upstream{}, err
	}
	e := envelope{dropped: made.Dropped}
	body, err := e.rewrite(made)
	if err != nil {
		return dialect.Upstream{}, err
	}
	operation := "invoke"
	if client.Stream {
		operation = "invoke-with-response-stream"
	}
	slices.Sort(e.dropped)
	sent := upstream(target.Model, operation, client.Stream, body, slices.Compact(e.dropped))
	if tier != "" {
		sent.Headers = append(sent.Headers, dialect.Header{Name: "x-amzn-bedrock-service-tier", Value: tier})
	}
	return sent, nil
}

// envelope changes what is around the conversation.
type envelope struct{ dropped []string }

func (e *envelope) rewrite(made dialect.Upstream) ([]byte, error) {
	dst := append(make([]byte, 0, len(made.Body)+64), '{')
	dst = rawjson.AppendText(dst, "anthropic_version", messagesVersion)
	for _, h := range made.Headers {
		if h.Name == "anthropic-beta" {
			dst = append(rawjson.AppendName(dst, "anthropic_beta"), '[')
			for beta := range strings.SplitSeq(h.Value, ",") {
				dst = rawjson.AppendQuoted(rawjson.Comma(dst), strings.TrimSpace(beta))
			}
			dst = append(dst, ']')
		}
	}
	for c := rawjson.Walk(made.Body); c.Next(); {
		switch string(c.Name) {
		case "model", "stream":
			continue
		case "service_tier", "cache_control", "container", "mcp_servers", "inference_geo":
			// What Anthropic's own API alone has.
			e.dropped = append(e.dropped, string(c.Name))
			continue
		case "messages":
			if err := refuseRemote(c.Value); err != nil {
				return nil, err
			}
		}
		dst = rawjson.AppendRaw(dst, c.Member)
	}
	return append(dst, '}'), nil
}

// refuseRemote refuses images and documents that Bedrock does not fetch.
func refuseRemote(messages jsontext.Value) error {
	i := 0
	for turn := rawjson.Walk(messages); turn.Next(); i++ {
		j := 0
		for block := rawjson.Walk(rawjson.Get(turn.Value, "content")); block.Next(); j++ {
			if remote(block.Value) {
				return dialect.Invalid("'messages.%d.content.%d.source': this model's provider fetches no URL and keeps no files; send the data itself with base64.", i, j)
			}
			for inner := rawjson.Walk(rawjson.Get(block.Value, "content")); inner.Next(); {
				if remote(inner.Value) {
					return dialect.Invalid("'messages.%d.content.%d.content': this model's provider fetches no URL and keeps no files; send the data itself with base64.", i, j)
				}
			}
		}
	}
	return nil
}

func remote(block []byte) bool {
	switch string(rawjson.Unquote(rawjson.Get(rawjson.Get(block, "source"), "type"))) {
	case "url", "file":
		return true
	}
	return false
}

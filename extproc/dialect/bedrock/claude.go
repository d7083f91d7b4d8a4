package bedrock

import (
	"bytes"
	"slices"

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
	_ dialect.OwnInliner   = Claude{}
)

// hosted writes the Messages API in the only version that Bedrock knows.
var hosted = anthropic.Provider{
	Hosted: "bedrock-2023-05-31",
	// What AWS lists for InvokeModel ("Anthropic Claude Messages API: request and response"),
	// and what it is known to take besides. To others, of which Claude Code sends some, it
	// answers 400 "invalid beta flag".
	Betas: anthropic.HostedBetas(
		"compact-2026-01-12", "computer-use-2024-10-22", "computer-use-2025-01-24", "computer-use-2025-11-24",
		"context-1m-2025-08-07", "context-management-2025-06-27", "dev-full-thinking-2025-05-14", "effort-2025-11-24",
		"fine-grained-tool-streaming-2025-05-14", "interleaved-thinking-2025-05-14", "output-128k-2025-02-19",
		"token-efficient-tools-2025-02-19", "tool-examples-2025-10-29",
	),
}

// deepest is how deep content is within a message's: an image in a document in the
// result of a tool.
const deepest = 2

// Name returns "anthropic": clients of the Messages API get the provider's own words.
func (Claude) Name() string { return anthropic.Name }

// Credential returns an API key of Bedrock's as a bearer token.
func (Claude) Credential(key string) []dialect.Header { return bearer(key) }

// ToolName is that of the Messages API.
func (Claude) ToolName(name string) string { return hosted.ToolName(name) }

// Failure reads an error of one of AWS's services.
func (Claude) Failure(status int, body []byte) dialect.ProviderFailure {
	return readFailure("", status, body)
}

// FailureWith reads it with its type, which is in a header.
func (Claude) FailureWith(header func(string) string, status int, body []byte) dialect.ProviderFailure {
	return readFailure(header(errorType), status, body)
}

// NeedsBytes: Bedrock fetches nothing, whoever asks.
func (Claude) NeedsBytes(part *dialect.Part, _ dialect.Target) bool {
	return anthropic.FetchedForHosts(part)
}

// RemoteIn lists what a request of the Messages API names by URL.
func (Claude) RemoteIn(request *dialect.Request) []dialect.Remote {
	return anthropic.RemoteIn(request)
}

// Bound is that of the Messages API.
func (Claude) Bound(client *dialect.Request, target dialect.Target) int64 {
	return hosted.Bound(client, target)
}

// Request writes a request of the Messages API, then changes what Bedrock has
// otherwise.
func (Claude) Request(client *dialect.Request, target dialect.Target) (dialect.Upstream, error) {
	made, err := hosted.Request(client, target)
	if err != nil {
		return dialect.Upstream{}, err
	}
	// An application's own profile tells nothing of its model: what the client says stays.
	e := envelope{dropped: made.Dropped, short: familyOf(target.Model) == claude && !cachesForAnHour(target.Model)}
	body := e.rewrite(made)
	operation := "invoke"
	if client.Stream {
		operation = "invoke-with-response-stream"
	}
	slices.Sort(e.dropped)
	sent := upstream(target.Model, operation, client.Stream, body, slices.Compact(e.dropped))
	if tier := target.ServiceTier; tier != "" {
		sent.Headers = append(sent.Headers, dialect.Header{Name: "x-amzn-bedrock-service-tier", Value: tier})
	}
	return sent, nil
}

// envelope changes what is around the conversation.
type envelope struct {
	dropped []string
	short   bool // the model knows no cache marker but that of five minutes
}

func (e *envelope) rewrite(made dialect.Upstream) []byte {
	dst := append(make([]byte, 0, len(made.Body)+64), '{')
	for _, h := range made.Headers {
		if betas := anthropic.Betas(h.Value); h.Name == "anthropic-beta" && len(betas) > 0 {
			dst = append(rawjson.AppendName(dst, "anthropic_beta"), '[')
			for _, beta := range betas {
				dst = rawjson.AppendQuoted(rawjson.Comma(dst), beta)
			}
			dst = append(dst, ']')
		}
	}
	for c := rawjson.Walk(made.Body); c.Next(); {
		switch string(c.Name) {
		case "stream":
			continue
		case "cache_control", "container", "mcp_servers", "inference_geo":
			// What Anthropic's own API alone has.
			e.dropped = append(e.dropped, string(c.Name))
			continue
		case "messages", "system", "tools":
			dst = e.shorten(dst, c)
			continue
		}
		dst = rawjson.AppendRaw(dst, c.Member)
	}
	return append(dst, '}')
}

// shorten appends a member that holds cache markers, with no time in them that the
// model refuses.
func (e *envelope) shorten(dst []byte, member rawjson.Cursor) []byte {
	if !e.short || !bytes.Contains(member.Value, []byte(`"ttl"`)) {
		return rawjson.AppendRaw(dst, member.Member)
	}
	return e.shortened(append(rawjson.AppendQuoted(rawjson.Comma(dst), member.Name), ':'), member.Value, 2*deepest)
}

// shortened appends turns, blocks or tools. Depth is how many members that hold blocks
// may still be within each other.
func (e *envelope) shortened(dst []byte, value []byte, depth int) []byte {
	switch rawjson.Kind(value) {
	case '[':
		dst = append(dst, '[')
		for c := rawjson.Walk(value); c.Next(); {
			if dst = rawjson.Comma(dst); rawjson.Kind(c.Value) == '{' {
				dst = e.shortened(dst, c.Value, depth)
			} else {
				dst = append(dst, c.Value...)
			}
		}
		return append(dst, ']')
	case '{':
	default:
		return append(dst, value...)
	}
	dst = append(dst, '{')
	for c := rawjson.Walk(value); c.Next(); {
		switch name := string(c.Name); {
		case name == "cache_control":
			dst = e.marker(dst, c.Value)
		case depth > 0 && (name == "content" || name == "source"):
			// What may hold blocks. The arguments of a tool do not.
			dst = e.shortened(append(rawjson.AppendQuoted(rawjson.Comma(dst), c.Name), ':'), c.Value, depth-1)
		default:
			dst = rawjson.AppendRaw(dst, c.Member)
		}
	}
	return append(dst, '}')
}

// marker appends a cache marker without its time. Five minutes are the default.
func (e *envelope) marker(dst []byte, marker []byte) []byte {
	dst = rawjson.AppendName(dst, "cache_control")
	if rawjson.Kind(marker) != '{' {
		return append(dst, marker...)
	}
	dst = append(dst, '{')
	for c := rawjson.Walk(marker); c.Next(); {
		if string(c.Name) != "ttl" {
			dst = rawjson.AppendRaw(dst, c.Member)
		} else if rawjson.Text(c.Value) != "5m" {
			e.dropped = append(e.dropped, "cache_control.ttl")
		}
	}
	return append(dst, '}')
}

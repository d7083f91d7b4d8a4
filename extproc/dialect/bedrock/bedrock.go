// Package bedrock speaks to Amazon Bedrock: by its Converse API, which is the same for
// all of its models, and by InvokeModel to Claude, which takes the Messages API there.
//
// Converse is as strict as the Messages API (turns alternate, no text is blank, tools
// that were used are declared) and on top of it about names, ids and media. The shapes
// are those of the service's own model, "bedrock-runtime" in AWS's SDKs.
package bedrock

import (
	"net/url"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/eventstream"
)

// Name is the dialect's name.
const Name = "bedrock"

// Provider is the Converse API. Base URLs end behind the host.
type Provider struct{}

var (
	_ dialect.Provider     = Provider{}
	_ dialect.HeaderFailer = Provider{}
	_ dialect.Inliner      = Provider{}
)

// Name returns "bedrock".
func (Provider) Name() string { return Name }

// Credential returns an API key of Bedrock's as a bearer token.
func (Provider) Credential(key string) []dialect.Header { return bearer(key) }

func bearer(key string) []dialect.Header {
	return []dialect.Header{{Name: "authorization", Value: "Bearer " + key}}
}

// NeedsBytes: the API reads nothing but what is in the request, and in S3 with the
// gateway's own rights.
func (Provider) NeedsBytes(*dialect.Part, dialect.Target) bool { return true }

// ToolName puts a name into the characters that the API takes, and into 64 of them.
func (Provider) ToolName(name string) string { return dialect.PlainID(name, 64) }

// Decoder reads one answer.
func (Provider) Decoder() dialect.Decoder { return &decoder{} }

// Failure reads an error of one of AWS's services.
func (Provider) Failure(status int, body []byte) dialect.ProviderFailure {
	return readFailure("", status, body)
}

// FailureWith reads it with its type, which is in a header.
func (Provider) FailureWith(header func(string) string, status int, body []byte) dialect.ProviderFailure {
	return readFailure(header(errorType), status, body)
}

// upstream is a request for an operation on a model, which may be named by an ARN:
// what is in it is one step of the path.
func upstream(model, operation string, stream bool, body []byte, dropped []string) dialect.Upstream {
	accept := "application/json"
	if stream {
		accept = eventstream.ContentType
	}
	return dialect.Upstream{
		Path: "/model/" + escape(model) + "/" + operation,
		Headers: []dialect.Header{
			{Name: "content-type", Value: "application/json"},
			{Name: "accept", Value: accept},
		},
		Body:    body,
		Dropped: dropped,
	}
}

// escape is RFC 3986's, as AWS's SDKs have it: a colon is escaped too.
func escape(step string) string {
	escaped := make([]byte, 0, len(step)+8)
	for _, c := range []byte(url.PathEscape(step)) {
		switch c {
		case ':', '$', '&', '+', '=', '@':
			const digits = "0123456789ABCDEF"
			escaped = append(escaped, '%', digits[c>>4], digits[c&15])
		default:
			escaped = append(escaped, c)
		}
	}
	return string(escaped)
}

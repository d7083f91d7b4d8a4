package provider

import (
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// bedrockClaude is the dialect of Claude on Bedrock, by InvokeModel and
// InvokeModelWithResponseStream: the Messages API in another envelope.
type bedrockClaude struct {
	jsonOnly
	awsAuth
	awsFraming
}

func (bedrockClaude) locate(target string) (address, bool) {
	return locateModel(target, "invoke", "invoke-with-response-stream")
}

func (d bedrockClaude) judge(at address, body map[string]any, header http.Header) (request, *refusal) {
	refuse := func(message string) (request, *refusal) {
		return request{model: at.model, stream: at.stream}, &refusal{status: http.StatusBadRequest, message: message}
	}
	for _, name := range []string{"model", "stream", "service_tier", "cache_control"} {
		if _, given := body[name]; given {
			return refuse("Malformed input request: #: extraneous key [" + name + "] is not permitted, please reformat your input and try again.")
		}
	}
	if body["anthropic_version"] != "bedrock-2023-05-31" {
		return refuse("Malformed input request: #: required key [anthropic_version] not found, please reformat your input and try again.")
	}
	if text := encode(body["messages"]); strings.Contains(text, `"type":"url"`) || strings.Contains(text, `"type":"file"`) {
		return refuse("messages: URL sources are not supported")
	}
	if message := bedrockHour(at.model, encode(body)); message != "" {
		return refuse(strings.TrimPrefix(message, "The model returned the following errors: "))
	}
	betas, _ := body["anthropic_beta"].([]any)
	for _, beta := range betas {
		if name, _ := beta.(string); !slices.Contains(bedrockBetas, name) {
			return refuse("invalid beta flag")
		}
	}
	inner := maps.Clone(body)
	delete(inner, "anthropic_version")
	delete(inner, "anthropic_beta")
	inner["model"], inner["stream"] = at.model, at.stream
	req, refused := anthropic{}.judge(at, inner, http.Header{"Anthropic-Version": {version2023}})
	req.tier = header.Get("X-Amzn-Bedrock-Service-Tier")
	return req, refused
}

// bedrockBetas are some that the service takes.
var bedrockBetas = []string{
	"context-1m-2025-08-07", "context-management-2025-06-27", "effort-2025-11-24", "interleaved-thinking-2025-05-14", "tool-search-tool-2025-10-19",
}

func (bedrockClaude) mistake(m mistake) refusal          { return anthropic{}.mistake(m) }
func (bedrockClaude) unknownModel(model string) refusal  { return bedrock{}.unknownModel(model) }
func (bedrockClaude) errorType(status int) string        { return bedrock{}.errorType(status) }
func (bedrockClaude) errorBody(r refusal) []byte         { return bedrock{}.errorBody(r) }
func (bedrockClaude) errorEvent(r refusal) event         { return bedrock{}.errorEvent(r) }
func (bedrockClaude) headers() http.Header               { return bedrock{}.headers() }
func (bedrockClaude) whole(req request, a Answer) []byte { return anthropic{}.whole(req, a) }

func (bedrockClaude) errorHeader(r refusal) http.Header { return bedrock{}.errorHeader(r) }

// events are those of the Messages API, each packed into one of the service's.
func (bedrockClaude) events(req request, a Answer) []event {
	events := anthropic{}.events(req, a)
	for i, e := range events {
		events[i].name = "chunk"
		events[i].data = encode(map[string]any{"bytes": base64.StdEncoding.EncodeToString([]byte(e.data)), "p": "abcdefghijk"})
	}
	return events
}

package provider

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
)

// vertexGemini is the dialect of generateContent as Vertex AI serves it. It differs from
// AI Studio's in what a request must and must not say.
type vertexGemini struct {
	gemini
	tokens *GoogleTokens
}

// Vertex returns a fake of Gemini on Vertex AI, which takes the tokens of an endpoint,
// or with none the config's key as that of express mode.
// POST {base}/models/{model}:generateContent, :streamGenerateContent?alt=sse and :predict,
// the last for embeddings. Its
// base ends in "/publishers/google" and names a project unless given.
func Vertex(config Config, tokens *GoogleTokens) *Provider {
	config.Base = cmp.Or(config.Base, "/v1/projects/acme-prod/locations/global/publishers/google")
	return newProvider(config, vertexGemini{tokens: tokens})
}

func (d vertexGemini) admit(header http.Header, key string) *refusal {
	if d.tokens == nil {
		return d.gemini.admit(header, key)
	}
	return d.tokens.admitOnly(header)
}

// admitOnly takes a token, and no other proof beside it.
func (g *GoogleTokens) admitOnly(header http.Header) *refusal {
	for name := range header {
		switch {
		case strings.HasPrefix(name, "Openai-"), name == "X-Api-Key", name == "Api-Key", name == "X-Goog-Api-Key", name == "Anthropic-Version":
			return leak("header " + strings.ToLower(name))
		}
	}
	return g.admit(header)
}

const vertexTierHeader = "X-Vertex-Ai-Llm-Shared-Request-Type"

func (d vertexGemini) judge(at address, body map[string]any, header http.Header) (request, *refusal) {
	if at.task == predict {
		return d.judgePredict(at, body)
	}
	for _, rule := range []func(address, map[string]any) *mistake{vertexFields, vertexIDs, vertexFiles} {
		if wrong := rule(at, body); wrong != nil {
			worded := d.mistake(*wrong)
			return request{}, &worded
		}
	}
	known := maps.Clone(body)
	delete(known, "labels")
	req, refused := d.gemini.judge(at, known, header)
	req.tier = header.Get(vertexTierHeader)
	return req, refused
}

func vertexFields(_ address, body map[string]any) *mistake {
	if tier, given := body["serviceTier"]; given {
		return &mistake{path{"serviceTier"}, unknownField, "", tier}
	}
	if labels, given := body["labels"]; given {
		return mapOf(text(63))(path{"labels"}, labels)
	}
	return nil
}

// vertexParts walks over all parts that look like some.
func vertexParts(body map[string]any, visit func(at path, part map[string]any) *mistake) *mistake {
	contents, _ := body["contents"].([]any)
	for i, content := range contents {
		members, _ := content.(map[string]any)
		parts, _ := members["parts"].([]any)
		for j, element := range parts {
			if part, ok := element.(map[string]any); ok {
				if wrong := visit(path{"contents", i, "parts", j}, part); wrong != nil {
					return wrong
				}
			}
		}
	}
	return nil
}

// vertexIDs refuses the ids of calls before the third generation.
func vertexIDs(at address, body map[string]any) *mistake {
	if geminiGeneration3(at.model) {
		return nil
	}
	return vertexParts(body, func(at path, part map[string]any) *mistake {
		for name, wire := range map[string]string{"functionCall": "function_call", "functionResponse": "function_response"} {
			call, _ := part[name].(map[string]any)
			if id, given := call["id"]; given {
				return &mistake{at.to(wire).to("id"), unknownField, "", id}
			}
		}
		return nil
	})
}

// vertexFiles demands the type of every file.
func vertexFiles(_ address, body map[string]any) *mistake {
	return vertexParts(body, func(at path, part map[string]any) *mistake {
		file, _ := part["fileData"].(map[string]any)
		location, _ := file["fileUri"].(string)
		switch {
		case file != nil && file["mimeType"] == nil:
			return &mistake{at.to("file_data").to("mime_type"), badValue, "The mimeType parameter must be set", ""}
		case strings.Contains(location, "generativelanguage"):
			return &mistake{at.to("file_data").to("file_uri"), badValue, "a URI that can be read", location}
		}
		return nil
	})
}

func (vertexGemini) unknownModel(model string) refusal { return vertexUnknown("google", model) }

func vertexUnknown(publisher, model string) refusal {
	return refusal{
		status: http.StatusNotFound,
		message: fmt.Sprintf("Publisher Model `projects/acme-prod/locations/global/publishers/%s/models/%s` was not found or your project does not have access to it. "+
			"Please ensure you are using a valid model version.", publisher, model),
	}
}

// errorBody frames the error as the stream's array does.
func (d vertexGemini) errorBody(r refusal) []byte {
	return append(append([]byte{'['}, d.gemini.errorBody(r)...), ']')
}

func (d vertexGemini) whole(req request, a Answer) []byte {
	if req.task == predict {
		return vertexPredictions(req, a)
	}
	return []byte(vertexAnswer(req, string(d.gemini.whole(req, a))))
}

func (d vertexGemini) events(req request, a Answer) []event {
	events := d.gemini.events(req, a)
	for i := range events {
		events[i].data = vertexAnswer(req, events[i].data)
	}
	return events
}

// vertexAnswer has what AI Studio leaves out, and leaves out the candidate's index as
// far as it is zero, as protocol buffers do.
func vertexAnswer(req request, text string) string {
	var body map[string]any
	if err := json.Unmarshal([]byte(text), &body); err != nil {
		panic(err) // this package wrote it
	}
	body["createTime"] = "2026-11-23T10:00:00.123456Z"
	if usage, ok := body["usageMetadata"].(map[string]any); ok {
		usage["trafficType"] = "ON_DEMAND"
		if req.tier != "" {
			usage["trafficType"] = "ON_DEMAND_" + strings.ToUpper(req.tier)
		}
	}
	for _, element := range body["candidates"].([]any) {
		delete(element.(map[string]any), "index")
	}
	return encode(body)
}

// vertexAnthropic is the dialect of the Messages API as Vertex AI serves it.
type vertexAnthropic struct {
	anthropic
	tokens *GoogleTokens
}

// VertexAnthropic returns a fake of Claude on Vertex AI, which takes what [Vertex]
// takes. POST {base}/models/{model}:rawPredict and :streamRawPredict. Its base ends in
// "/publishers/anthropic" and names a project unless given.
func VertexAnthropic(config Config, tokens *GoogleTokens) *Provider {
	config.Base = cmp.Or(config.Base, "/v1/projects/acme-prod/locations/global/publishers/anthropic")
	return newProvider(config, vertexAnthropic{tokens: tokens})
}

func (vertexAnthropic) locate(target string) (address, bool) {
	rest, found := strings.CutPrefix(target, "/models/")
	model, method, _ := strings.Cut(rest, ":")
	switch method {
	case "rawPredict":
		return address{model: model}, found
	case "streamRawPredict":
		return address{model: model, stream: true}, found
	}
	return address{}, false
}

func (d vertexAnthropic) admit(header http.Header, key string) *refusal {
	return vertexGemini{tokens: d.tokens}.admit(header, key)
}

const vertexVersion = "vertex-2023-10-16"

func (d vertexAnthropic) judge(at address, body map[string]any, header http.Header) (request, *refusal) {
	said := maps.Clone(body)
	wrong := object(fields{"anthropic_version": need(enum(vertexVersion))})(nil, map[string]any{"anthropic_version": said["anthropic_version"]})
	for _, name := range []string{"model", "service_tier"} {
		if value, given := said[name]; given && wrong == nil {
			wrong = &mistake{path{name}, unknownField, "", value}
		}
	}
	if wrong != nil {
		worded := d.mistake(*wrong)
		return request{}, &worded
	}
	delete(said, "anthropic_version")
	said["model"] = at.model
	for beta := range strings.SplitSeq(header.Get("Anthropic-Beta"), ",") {
		if beta = strings.TrimSpace(beta); beta != "" && (beta == "effort-2025-11-24" || !slices.Contains(bedrockBetas, beta)) {
			return request{model: at.model}, &refusal{status: http.StatusBadRequest, message: "Unexpected value(s) `" + beta + "` for the `anthropic-beta` header."}
		}
	}
	header = header.Clone()
	header.Set("Anthropic-Version", version2023)
	req, refused := d.anthropic.judge(at, said, header)
	switch {
	case refused != nil:
		return req, refused
	case strings.Contains(encode(body["messages"]), `"source":{"type":"url"`):
		return req, &refusal{status: http.StatusBadRequest, message: "messages.0.content.1.image.source.base64.data: URL sources are not supported"}
	case req.stream != at.stream:
		return req, &refusal{status: http.StatusBadRequest, message: "stream: does not go with the method"}
	}
	return req, nil
}

func (vertexAnthropic) unknownModel(model string) refusal { return vertexUnknown("anthropic", model) }

// errorBody is Google's where the API behind it was not asked.
func (d vertexAnthropic) errorBody(r refusal) []byte {
	switch r.status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusTooManyRequests:
		return gemini{}.errorBody(r)
	}
	return d.anthropic.errorBody(r)
}

func (vertexAnthropic) headers() http.Header { return gemini{}.headers() }

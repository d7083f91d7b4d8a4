package extproc

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// noteUnsaid notes which fields the provider does not get. Parameters that the client
// requires are among them where they do not go together, such as a schema for the
// answer beside tools: the plan knows only what an endpoint takes at all.
func (a *attempt) noteUnsaid(dropped []string) error {
	a.unsaid = dropped
	if len(dropped) == 0 {
		return nil
	}
	a.Log.Debug("the provider does not get all of the request", "request_id", a.requestID, "attempt", a.number,
		"provider", a.candidate.Endpoint.Provider.Slug, "fields", dropped)
	if !a.plan.RequireParameters {
		return nil
	}
	for _, field := range dropped {
		if isParameter(field, a.request.Parameters) || isMember(field, a.request) {
			return a.unsayable(&dialect.Error{
				Status: http.StatusBadRequest, Type: "invalid_request",
				Message:  fmt.Sprintf("'%s' cannot be said to the provider together with the rest of the request. Leave one of them out, or provider.require_parameters.", field),
				Metadata: map[string]any{"unsupported_parameters": []string{field}},
			})
		}
	}
	return nil
}

// isMember reports whether a field stands in the request itself, outside of its messages
// and tools: every parameter is required, also one that the catalog has no name for.
func isMember(field string, request *dialect.Request) bool {
	if request.OutputModality != "" {
		return false
	}
	if field == "n" || rawjson.Present(rawjson.Get(request.Raw, field)) {
		return true
	}
	// A dialect that has settings apart names them as Chat Completions does.
	chat, err := request.Chat()
	return err == nil && slices.ContainsFunc(chat.Extra, func(extra dialect.Field) bool { return extra.Name == field })
}

// isParameter reports whether a field, by the name that a dialect has for it, is among
// parameters, which go by the catalog's names (spec section 7).
func isParameter(field string, parameters []string) bool {
	names := []string{field}
	inner := field[strings.LastIndexByte(field, '.')+1:]
	switch {
	case strings.HasPrefix(field, "thinking"), field == "generationConfig.thinkingConfig", field == "reasoning", field == "reasoning_effort":
		names = []string{"reasoning", "reasoning_effort"}
	case field == "output_config.effort":
		names = []string{"verbosity"}
	case inner == "format", field == "response_format", strings.HasPrefix(inner, "response") && strings.HasSuffix(inner, "Schema"), inner == "responseMimeType":
		names = []string{"response_format", "structured_outputs"}
	case field == "max_tokens", field == "max_completion_tokens":
		names = []string{"max_tokens", "max_completion_tokens"}
	case strings.HasPrefix(inner, "stop"):
		names = []string{"stop"}
	case field == "tools.strict":
		names = []string{"tools", "structured_outputs"}
	case strings.HasPrefix(field, "tools."): // one of them, by its number
		names = []string{"tools"}
	case field == "toolConfig":
		names = []string{"tool_choice"}
	case strings.HasPrefix(field, "generationConfig."):
		names = []string{snake[inner]}
	}
	return slices.ContainsFunc(names, func(name string) bool { return slices.Contains(parameters, name) })
}

// snake has the catalog's names of fields that Google's API has others for.
var snake = map[string]string{
	"temperature": "temperature", "seed": "seed", "topP": "top_p", "topK": "top_k",
	"presencePenalty": "presence_penalty", "frequencyPenalty": "frequency_penalty",
	"responseLogprobs": "logprobs", "logprobs": "top_logprobs",
}

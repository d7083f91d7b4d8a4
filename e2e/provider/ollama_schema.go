package provider

import (
	"encoding/base64"
	"fmt"
)

var ollamaWhole = integer(-1<<31, 1<<31)

// ollamaOptions are those of api.Options in Ollama's source.
var ollamaOptions = object(fields{
	"num_ctx": may(ollamaWhole), "num_batch": may(ollamaWhole), "num_gpu": may(ollamaWhole), "main_gpu": may(ollamaWhole),
	"use_mmap": may(boolean), "num_thread": may(ollamaWhole), "num_keep": may(ollamaWhole), "num_predict": may(ollamaWhole),
	"seed": may(integer(-1<<53, 1<<53)), "top_k": may(ollamaWhole), "top_p": may(number(0, 1)), "min_p": may(number(0, 1)),
	"typical_p": may(number(0, 1)), "repeat_last_n": may(ollamaWhole), "temperature": may(number(0, 2)),
	"repeat_penalty": may(number(0, 10)), "presence_penalty": may(number(-2, 2)), "frequency_penalty": may(number(-2, 2)),
	"stop": may(list(0, text(0))),
})

func ollamaKeepAlive(at path, value any) *mistake {
	return either(matching(`^-?([0-9.]+(h|m|s|ms))+$`), number(-1, mostTokens))(at, value)
}

func ollamaThink(at path, value any) *mistake {
	return either(enum("high", "medium", "low", "max"), boolean)(at, value)
}

func ollamaImage(at path, value any) *mistake {
	encoded, ok := value.(string)
	if _, err := base64.StdEncoding.DecodeString(encoded); !ok || err != nil || encoded == "" {
		return &mistake{at, badValue, "base64", value}
	}
	return nil
}

var ollamaFunction = object(fields{
	"index": may(integer(0, 1000)), "name": need(allOf(text(0), present)), "arguments": need(mapOf(anything)),
})

func ollamaMessage(also fields) check {
	return object(fields{"role": need(anything), "content": need(text(0))}.with(also))
}

var ollamaRequest = object(fields{
	"model": need(allOf(text(0), present)),
	"messages": need(list(1, tagged("role", map[string]check{
		"system": ollamaMessage(fields{}),
		"user":   ollamaMessage(fields{"images": may(list(1, ollamaImage))}),
		"assistant": ollamaMessage(fields{
			"thinking":   may(text(0)),
			"images":     may(list(1, ollamaImage)),
			"tool_calls": may(list(1, object(fields{"id": may(text(0)), "function": need(ollamaFunction)}))),
		}),
		"tool": ollamaMessage(fields{"tool_name": may(text(0)), "tool_call_id": may(text(0))}),
	}))),
	"stream":       may(boolean),
	"format":       may(either(enum("json"), mapOf(anything))),
	"keep_alive":   may(ollamaKeepAlive),
	"think":        may(ollamaThink),
	"truncate":     may(boolean),
	"shift":        may(boolean),
	"logprobs":     may(boolean),
	"top_logprobs": may(integer(0, 20)),
	"options":      may(ollamaOptions),
	"tools": may(list(1, object(fields{
		"type": need(enum("function")),
		"function": need(object(fields{
			"name": need(allOf(text(0), present)), "description": may(text(0)), "parameters": need(mapOf(anything)),
		})),
	}))),
})

var ollamaEmbedRequest = object(fields{
	"model":      need(allOf(text(0), present)),
	"input":      need(either(text(0), list(1, text(0)))),
	"truncate":   may(boolean),
	"dimensions": may(integer(1, 1<<20)),
	"keep_alive": may(ollamaKeepAlive),
	"options":    may(ollamaOptions),
})

// ollamaConversation checks that results of tools name a call and its tool. Ollama
// itself leaves that to the model's template, which then writes nonsense.
func ollamaConversation(body map[string]any) string {
	called := map[any]any{}
	for i, element := range body["messages"].([]any) {
		message := element.(map[string]any)
		calls, _ := message["tool_calls"].([]any)
		for _, element := range calls {
			call := element.(map[string]any)
			called[call["id"]] = call["function"].(map[string]any)["name"]
		}
		if message["role"] != "tool" {
			continue
		}
		if name, known := called[message["tool_call_id"]]; !known || name != message["tool_name"] {
			return fmt.Sprintf("messages.%d is the result of no call: %v of %v", i, message["tool_call_id"], message["tool_name"])
		}
	}
	return ""
}

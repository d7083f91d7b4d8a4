package demo

import (
	"net/http"
	"time"
)

type object = map[string]any

// chatCompletions is a provider that speaks OpenAI's Chat Completions.
func chatCompletions(name string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat/completions", func(w http.ResponseWriter, r *http.Request) {
		q, err := read(w, r)
		if err != nil {
			reply(w, http.StatusBadRequest, object{"error": object{"message": err.Error(), "type": "invalid_request_error"}})
			return
		}
		created := time.Now().Unix()
		answer := q.answer(name)
		finish, message := "stop", object{"role": "assistant", "content": answer.text}
		switch {
		case answer.cut:
			finish = "length"
		case answer.call != nil:
			finish = "tool_calls"
			message = object{"role": "assistant", "content": nil, "tool_calls": []object{{
				"id": "call_demo", "type": "function",
				"function": object{"name": answer.call.name, "arguments": string(answer.call.arguments)},
			}}}
		}
		usage := object{
			"prompt_tokens": q.tokens(), "completion_tokens": answer.tokens(), "total_tokens": q.tokens() + answer.tokens(),
		}
		if !q.Stream {
			reply(w, http.StatusOK, object{
				"id": "chatcmpl-demo", "object": "chat.completion", "created": created, "model": "demo",
				"choices": []object{{"index": 0, "message": message, "finish_reason": finish}}, "usage": usage,
			})
			return
		}
		out := newStream(w, r)
		chunk := func(delta object, finish any) bool {
			return out.send("", object{
				"id": "chatcmpl-demo", "object": "chat.completion.chunk", "created": created, "model": "demo",
				"choices": []object{{"index": 0, "delta": delta, "finish_reason": finish}},
			})
		}
		if finish == "tool_calls" {
			calls := message["tool_calls"].([]object)
			calls[0]["index"] = 0
			chunk(object{"role": "assistant", "tool_calls": calls}, nil)
		} else {
			for _, word := range words(answer.text) {
				if !chunk(object{"role": "assistant", "content": word}, nil) || !out.wait() {
					return
				}
			}
		}
		chunk(object{}, finish)
		if q.StreamOptions.IncludeUsage {
			out.send("", object{
				"id": "chatcmpl-demo", "object": "chat.completion.chunk", "created": created, "model": "demo",
				"choices": []object{}, "usage": usage,
			})
		}
		out.send("", "[DONE]")
	})
	return mux
}

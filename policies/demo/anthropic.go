package demo

import "net/http"

// messages is a provider that speaks Anthropic's Messages.
func messages(name string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/messages", func(w http.ResponseWriter, r *http.Request) {
		q, err := read(w, r)
		if err != nil {
			reply(w, http.StatusBadRequest, object{"type": "error", "error": object{"type": "invalid_request_error", "message": err.Error()}})
			return
		}
		answer, stop := q.answer(name), "end_turn"
		block := object{"type": "text", "text": answer}
		if tool := q.tool(); tool != "" {
			answer, stop = "", "tool_use"
			block = object{"type": "tool_use", "id": "toolu_demo", "name": tool, "input": object{}}
		}
		message := object{
			"id": "msg_demo", "type": "message", "role": "assistant", "model": "demo",
			"content": []object{block}, "stop_reason": stop, "stop_sequence": nil,
			"usage": object{"input_tokens": q.tokens(), "output_tokens": tokens(answer)},
		}
		if !q.Stream {
			reply(w, http.StatusOK, message)
			return
		}
		out := newStream(w, r)
		message["content"], message["stop_reason"] = []object{}, nil
		message["usage"] = object{"input_tokens": q.tokens(), "output_tokens": 1}
		out.send("message_start", object{"type": "message_start", "message": message})
		if answer != "" {
			block = object{"type": "text", "text": ""}
		}
		out.send("content_block_start", object{"type": "content_block_start", "index": 0, "content_block": block})
		for _, word := range words(answer) {
			if word == "" {
				continue
			}
			delta := object{"type": "content_block_delta", "index": 0, "delta": object{"type": "text_delta", "text": word}}
			if !out.send("content_block_delta", delta) || !out.wait() {
				return
			}
		}
		out.send("content_block_stop", object{"type": "content_block_stop", "index": 0})
		out.send("message_delta", object{
			"type": "message_delta", "delta": object{"stop_reason": stop, "stop_sequence": nil},
			"usage": object{"output_tokens": tokens(answer)},
		})
		out.send("message_stop", object{"type": "message_stop"})
	})
	return mux
}

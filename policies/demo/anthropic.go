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
		block := object{"type": "text", "text": answer.text}
		switch {
		case answer.cut:
			stop = "max_tokens"
		case answer.call != nil:
			stop = "tool_use"
			block = object{"type": "tool_use", "id": "toolu_demo", "name": answer.call.name, "input": answer.call.arguments}
		}
		message := object{
			"id": "msg_demo", "type": "message", "role": "assistant", "model": "demo",
			"content": []object{block}, "stop_reason": stop, "stop_sequence": nil,
			"usage": object{"input_tokens": q.tokens(), "output_tokens": answer.tokens()},
		}
		if !q.Stream {
			reply(w, http.StatusOK, message)
			return
		}
		out := newStream(w, r)
		message["content"], message["stop_reason"] = []object{}, nil
		message["usage"] = object{"input_tokens": q.tokens(), "output_tokens": 1}
		out.send("message_start", object{"type": "message_start", "message": message})
		// A block begins empty, and is filled by deltas.
		piece := func(delta object) bool {
			return out.send("content_block_delta", object{"type": "content_block_delta", "index": 0, "delta": delta})
		}
		if answer.call != nil {
			block["input"] = object{}
		} else {
			block["text"] = ""
		}
		out.send("content_block_start", object{"type": "content_block_start", "index": 0, "content_block": block})
		if answer.call != nil {
			piece(object{"type": "input_json_delta", "partial_json": string(answer.call.arguments)})
		} else {
			for _, word := range words(answer.text) {
				if !piece(object{"type": "text_delta", "text": word}) || !out.wait() {
					return
				}
			}
		}
		out.send("content_block_stop", object{"type": "content_block_stop", "index": 0})
		out.send("message_delta", object{
			"type": "message_delta", "delta": object{"stop_reason": stop, "stop_sequence": nil},
			"usage": object{"output_tokens": answer.tokens()},
		})
		out.send("message_stop", object{"type": "message_stop"})
	})
	return mux
}

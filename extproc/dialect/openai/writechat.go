package openai

import (
	"strconv"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// writeChat writes a conversation from a client of another dialect. What comes
// out is as that client would have said it here, and is edited for the target
// like any other request.
func writeChat(chat *dialect.Chat, stream bool) []byte {
	w := writer{dst: []byte(`{"model":""`)}
	w.list("messages", func() {
		for i := range chat.Messages {
			w.message(&chat.Messages[i])
		}
	})
	if stream {
		w.raw("stream", []byte("true"))
	}
	if len(chat.Tools) > 0 {
		w.list("tools", func() {
			for i := range chat.Tools {
				w.tool(&chat.Tools[i])
			}
		})
	}
	w.toolChoice(chat.ToolChoice)
	w.boolean("parallel_tool_calls", chat.ParallelToolCalls)
	if chat.MaxTokens > 0 {
		w.whole("max_tokens", &chat.MaxTokens)
	}
	if len(chat.Stop) > 0 {
		w.list("stop", func() {
			for _, stop := range chat.Stop {
				w.dst = rawjson.AppendQuoted(rawjson.Comma(w.dst), stop)
			}
		})
	}
	w.number("temperature", chat.Temperature)
	w.number("top_p", chat.TopP)
	w.whole("top_k", chat.TopK)
	w.number("frequency_penalty", chat.FrequencyPenalty)
	w.number("presence_penalty", chat.PresencePenalty)
	w.whole("seed", chat.Seed)
	if chat.Logprobs {
		w.raw("logprobs", []byte("true"))
	}
	w.whole("top_logprobs", chat.TopLogprobs)
	if chat.Choices > 1 {
		w.whole("n", &chat.Choices)
	}
	w.reasoning(chat.Reasoning)
	w.format(chat.Format)
	w.text("verbosity", chat.Verbosity)
	w.text("service_tier", chat.ServiceTier)
	w.text("user", chat.User)
	w.raw("cache_control", chat.CacheControl)
	for _, field := range chat.Extra {
		w.raw(field.Name, field.Value)
	}
	return append(w.dst, '}')
}

// writer appends members to what is open at the end of dst. Those at their zero
// value are left out.
type writer struct {
	dst []byte
	// together: the results of tools keep what is no text.
	together bool
}

func (w *writer) raw(name string, value []byte) {
	if len(value) > 0 {
		w.dst = append(append(rawjson.AppendQuoted(rawjson.Comma(w.dst), name), ':'), value...)
	}
}

func (w *writer) text(name, text string) {
	if text != "" {
		w.dst = rawjson.AppendText(w.dst, name, text)
	}
}

func (w *writer) number(name string, n *float64) {
	if n != nil {
		w.raw(name, strconv.AppendFloat(nil, *n, 'g', -1, 64))
	}
}

func (w *writer) whole(name string, n *int64) {
	if n != nil {
		w.raw(name, strconv.AppendInt(nil, *n, 10))
	}
}

func (w *writer) boolean(name string, b *bool) {
	if b != nil {
		w.raw(name, strconv.AppendBool(nil, *b))
	}
}

func (w *writer) list(name string, elements func()) {
	w.dst = append(rawjson.AppendName(w.dst, name), '[')
	elements()
	w.dst = append(w.dst, ']')
}

func (w *writer) object(name string, members func()) {
	w.dst = append(rawjson.AppendName(w.dst, name), '{')
	members()
	w.dst = append(w.dst, '}')
}

func (w *writer) element(members func()) {
	w.dst = append(rawjson.Comma(w.dst), '{')
	members()
	w.dst = append(w.dst, '}')
}

func (w *writer) tool(tool *dialect.Tool) {
	if tool.Other != nil {
		w.dst = rawjson.AppendRaw(w.dst, tool.Other)
		return
	}
	w.element(func() {
		w.text("type", "function")
		w.object("function", func() {
			w.text("name", tool.Name)
			w.text("description", tool.Description)
			w.raw("parameters", tool.Parameters)
			w.boolean("strict", tool.Strict)
		})
		w.raw("cache_control", tool.CacheControl)
	})
}

func (w *writer) toolChoice(choice dialect.ToolChoice) {
	if choice.Mode != "tool" {
		w.text("tool_choice", choice.Mode)
		return
	}
	w.object("tool_choice", func() {
		w.text("type", "function")
		w.object("function", func() { w.text("name", choice.Name) })
	})
}

func (w *writer) reasoning(r *dialect.Reasoning) {
	if r == nil {
		return
	}
	w.object("reasoning", func() {
		w.text("effort", r.Effort)
		if r.MaxTokens > 0 {
			w.whole("max_tokens", &r.MaxTokens)
		}
		w.boolean("enabled", r.Enabled)
		if r.Exclude {
			w.raw("exclude", []byte("true"))
		}
		w.text("summary", r.Summary)
	})
}

func (w *writer) format(format *dialect.Format) {
	if format == nil {
		return
	}
	w.object("response_format", func() {
		w.text("type", format.Type)
		if format.Type != "json_schema" {
			return
		}
		w.object("json_schema", func() {
			w.text("name", format.Name)
			w.text("description", format.Description)
			w.raw("schema", format.Schema)
			w.boolean("strict", format.Strict)
		})
	})
}

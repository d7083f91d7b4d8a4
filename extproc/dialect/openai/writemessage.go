package openai

import (
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// message writes a message, or several: each result of a tool is one of its own.
func (w *writer) message(message *dialect.Message) {
	var said, shown []*dialect.Part
	var calls []*dialect.ToolCall
	var thoughts []*dialect.ReasoningDetail
	refusal := ""
	for i := range message.Parts {
		part := &message.Parts[i]
		switch part.Kind {
		case dialect.PartToolResult:
			shown = append(shown, w.toolResult(part)...)
		case dialect.PartToolCall:
			calls = append(calls, part.Call)
		case dialect.PartReasoning:
			thoughts = append(thoughts, part.Reasoning)
		case dialect.PartRefusal:
			refusal += part.Text
		default:
			said = append(said, part)
		}
	}
	if len(shown) > 0 {
		w.element(func() {
			w.text("role", string(dialect.RoleUser))
			w.content(shown, false)
		})
	}
	if message.Role == dialect.RoleTool || len(said)+len(calls)+len(thoughts) == 0 && refusal == "" && len(message.Parts) > 0 {
		return
	}
	w.element(func() {
		w.text("role", string(message.Role))
		w.text("name", message.Name)
		w.content(said, message.Role == dialect.RoleAssistant && len(said) == 0)
		w.text("refusal", refusal)
		w.thoughts(thoughts)
		if len(calls) == 0 {
			return
		}
		w.list("tool_calls", func() {
			for _, call := range calls {
				w.element(func() {
					w.text("id", call.ID)
					w.text("type", "function")
					w.object("function", func() {
						w.text("name", call.Name)
						w.dst = rawjson.AppendText(w.dst, "arguments", call.Arguments)
					})
				})
			}
		})
	})
}

func (w *writer) thoughts(thoughts []*dialect.ReasoningDetail) {
	if len(thoughts) == 0 {
		return
	}
	plain := ""
	for _, thought := range thoughts {
		plain += thought.Text
	}
	w.text("reasoning", plain)
	w.list("reasoning_details", func() {
		for _, thought := range thoughts {
			w.dst = appendDetail(w.dst, *thought)
		}
	})
}

// toolResult writes what a tool said, and returns what it showed: the API takes text
// alone from tools, so that images are left to a message of the user's behind all
// results.
func (w *writer) toolResult(part *dialect.Part) (shown []*dialect.Part) {
	var said []*dialect.Part
	for i := range part.Result.Parts {
		if inner := &part.Result.Parts[i]; w.together || inner.Kind == dialect.PartText {
			said = append(said, inner)
		} else {
			shown = append(shown, inner)
		}
	}
	w.element(func() {
		w.text("role", string(dialect.RoleTool))
		w.text("tool_call_id", part.Result.CallID)
		w.content(said, false)
		if part.Result.Failed {
			w.raw("is_error", []byte("true")) // for providers that have a place for it
		}
		w.raw("cache_control", part.CacheControl)
	})
	return shown
}

// content writes plain text as a string and anything more as parts.
func (w *writer) content(parts []*dialect.Part, absent bool) {
	switch {
	case absent:
		w.raw("content", null)
	case len(parts) == 0:
		w.raw("content", []byte(`""`))
	case len(parts) == 1 && parts[0].Kind == dialect.PartText && parts[0].CacheControl == nil:
		w.dst = rawjson.AppendText(w.dst, "content", parts[0].Text)
	default:
		w.list("content", func() {
			for _, part := range parts {
				w.part(part)
			}
		})
	}
}

func (w *writer) part(part *dialect.Part) {
	w.element(func() {
		switch part.Kind {
		case dialect.PartImage:
			w.linked("image_url", part.Media)
		case dialect.PartVideo:
			w.linked("video_url", part.Media)
		case dialect.PartAudio:
			w.text("type", "input_audio")
			w.object("input_audio", func() {
				w.text("data", part.Media.Data)
				w.text("format", part.Media.Type)
			})
		case dialect.PartFile:
			w.text("type", "file")
			w.object("file", func() {
				w.text("filename", part.Media.Name)
				w.text("file_data", mediaURL(part.Media))
				w.text("file_id", part.Media.FileID)
			})
		default:
			w.text("type", "text")
			w.dst = rawjson.AppendText(w.dst, "text", part.Text)
		}
		w.raw("cache_control", part.CacheControl)
	})
}

func (w *writer) linked(kind string, media *dialect.Media) {
	w.text("type", kind)
	w.object(kind, func() {
		w.text("url", mediaURL(media))
		w.text("detail", media.Detail)
	})
}

func mediaURL(media *dialect.Media) string {
	if media.Data == "" {
		return media.URL
	}
	return "data:" + media.Type + ";base64," + media.Data
}

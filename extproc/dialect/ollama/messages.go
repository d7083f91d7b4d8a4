package ollama

import (
	"encoding/base64"
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect"
)

func (b *builder) conversation() error {
	for i := range b.chat.Messages {
		said := &b.chat.Messages[i]
		if said.Role != dialect.RoleTool {
			b.show()
		}
		written, err := b.message(i, said)
		if err != nil {
			return err
		}
		if written.Content == "" && len(written.Images) == 0 && len(written.ToolCalls) == 0 {
			continue // a turn that says nothing, or results of tools, which stand already
		}
		b.request.Messages = append(b.request.Messages, written)
	}
	b.show()
	if len(b.request.Messages) == 0 {
		// Ollama would load the model and say nothing.
		return dialect.Invalid("Input must have at least 1 token.")
	}
	return nil
}

// show writes the images that tools gave: the user has to show them, behind all results.
func (b *builder) show() {
	if len(b.shown) > 0 {
		b.request.Messages = append(b.request.Messages, message{Role: "user", Images: b.shown})
		b.shown = nil
	}
}

// message writes message i: one text, which is all that the API has a place for, and
// images beside it.
func (b *builder) message(i int, said *dialect.Message) (message, error) {
	written := message{Role: role(said.Role)}
	var words []string
	for _, part := range dialect.JoinThoughts(said.Parts) {
		switch part.Kind {
		case dialect.PartText, dialect.PartRefusal:
			if part.Text != "" {
				words = append(words, part.Text)
			}
		case dialect.PartToolCall:
			b.calls[part.Call.ID] = part.Call.Name
			written.ToolCalls = append(written.ToolCalls, toolCall{
				ID: part.Call.ID, Function: function{Name: part.Call.Name, Arguments: part.Call.Input()},
			})
		case dialect.PartReasoning:
			if isPlain(part.Reasoning) {
				written.Thinking += part.Reasoning.Text
			}
		case dialect.PartToolResult:
			if err := b.result(i, said, part.Result); err != nil {
				return written, err
			}
		default:
			image, err := media(i, &part)
			if err != nil {
				return written, err
			}
			written.Images = append(written.Images, image)
		}
	}
	written.Content = strings.Join(words, "\n")
	if said.Name != "" && written.Content != "" && said.Role != dialect.RoleTool {
		// There is no field for the speaker's name (row 125).
		written.Content = said.Name + ": " + written.Content
	}
	return written, nil
}

func role(from dialect.Role) string {
	switch from {
	case dialect.RoleSystem, dialect.RoleDeveloper:
		return "system"
	case dialect.RoleAssistant:
		return "assistant"
	}
	return "user"
}

// result writes what a tool gave in a message of its own. Templates of models name the
// tool, some the call.
func (b *builder) result(i int, said *dialect.Message, result *dialect.ToolResult) error {
	written := message{Role: "tool", ToolCallID: result.CallID, ToolName: b.calls[result.CallID]}
	if written.ToolName == "" {
		written.ToolName = said.Name
	}
	var words []string
	for j := range result.Parts {
		piece := &result.Parts[j]
		if piece.Kind == dialect.PartText {
			words = append(words, piece.Text)
			continue
		}
		image, err := media(i, piece)
		if err != nil {
			return err
		}
		b.shown = append(b.shown, image)
	}
	written.Content = strings.Join(words, "\n")
	if result.Failed {
		written.Content = "Error: " + written.Content
	}
	b.request.Messages = append(b.request.Messages, written)
	return nil
}

// media is an image, or a sound for a model that hears: the API has one place for both.
func media(i int, said *dialect.Part) (string, error) {
	switch {
	case said.Kind != dialect.PartImage && said.Kind != dialect.PartAudio:
		return "", dialect.Invalid("'messages.%d' holds a video or a file; this model's provider takes text, images and sounds only.", i)
	case said.Media.Data == "":
		return "", dialect.Invalid("'messages.%d': image_url.url must be data with base64, as in data:image/png;base64,…; this model's provider fetches nothing.", i)
	}
	if _, err := base64.StdEncoding.DecodeString(said.Media.Data); err != nil {
		return "", dialect.Invalid("'messages.%d' holds an image or a sound whose base64 is broken.", i)
	}
	return said.Media.Data, nil
}

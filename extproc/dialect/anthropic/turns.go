package anthropic

import (
	"math"
	"slices"
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// mostID is how long the id of a tool call may be.
const mostID = math.MaxInt

// conversation puts messages into turns that alternate and begin with the user.
func (b *builder) conversation() error {
	for i := range b.chat.Messages {
		message := &b.chat.Messages[i]
		blocks, err := b.blocks(i, message)
		if err != nil {
			return err
		}
		switch message.Role {
		case dialect.RoleSystem, dialect.RoleDeveloper:
			if len(b.request.Messages) == 0 {
				b.request.System = append(b.request.System, blocks...)
				continue
			}
			b.add("user", blocks)
		case dialect.RoleAssistant:
			b.add("assistant", blocks)
		default:
			b.add("user", blocks)
		}
	}
	turns := b.request.Messages
	switch {
	case len(turns) == 0 && len(b.request.System) == 0:
		return dialect.Invalid("Input must have at least 1 token.")
	case len(turns) == 0:
		// Instructions alone are an answerable prompt elsewhere.
		b.request.Messages = []turn{{Role: "user", Content: b.request.System}}
		b.request.System = nil
	case turns[0].Role == "assistant":
		// The least that may stand before an assistant who begins.
		opening := turn{Role: "user", Content: []block{{Type: "text", Text: "."}}}
		b.request.Messages = slices.Insert(turns, 0, opening)
	}
	b.prefill()
	return nil
}

// add appends blocks to the turn of a role, which goes on if it is the last. The
// results of tools come first in their turn.
func (b *builder) add(role string, blocks []block) {
	if len(blocks) == 0 {
		return
	}
	last := len(b.request.Messages) - 1
	if last < 0 || b.request.Messages[last].Role != role {
		b.request.Messages = append(b.request.Messages, turn{Role: role})
		last++
	}
	t := &b.request.Messages[last]
	for i := range blocks {
		if blocks[i].Type != "tool_result" {
			t.Content = append(t.Content, blocks[i])
			continue
		}
		at := slices.IndexFunc(t.Content, func(b block) bool { return b.Type != "tool_result" })
		if at < 0 {
			at = len(t.Content)
		}
		t.Content = slices.Insert(t.Content, at, blocks[i])
	}
}

// prefill takes the space off the end of an answer that the model is to continue
// (row 124); the API refuses it.
func (b *builder) prefill() {
	last := &b.request.Messages[len(b.request.Messages)-1]
	if last.Role != "assistant" {
		return
	}
	if end := &last.Content[len(last.Content)-1]; end.Type == "text" {
		end.Text = strings.TrimRight(end.Text, " \t\r\n")
	}
}

// blocks writes message i.
func (b *builder) blocks(i int, message *dialect.Message) ([]block, error) {
	parts := message.Parts
	if message.Role == dialect.RoleAssistant {
		parts = dialect.JoinThoughts(parts)
	}
	blocks := make([]block, 0, len(parts))
	name := message.Name
	for j := range parts {
		part := &parts[j]
		made, ok, err := b.block(part)
		switch {
		case err != nil && part.Kind == dialect.PartToolResult:
			return nil, dialect.Invalid("'messages.%d': %v", i, err)
		case err != nil:
			return nil, dialect.Invalid("'messages.%d.content.%d': %v", i, j, err)
		}
		if !ok {
			continue
		}
		if made.Type == "text" && name != "" && message.Role != dialect.RoleTool {
			// There is no field for the speaker's name (row 125).
			made.Text, name = name+": "+made.Text, ""
		}
		blocks = append(blocks, made)
	}
	return blocks, nil
}

// block writes a part, and reports false for one that the API has no place for.
func (b *builder) block(part *dialect.Part) (block, bool, error) {
	made := block{CacheControl: part.CacheControl}
	switch part.Kind {
	case dialect.PartText, dialect.PartRefusal:
		made.Type, made.Text = "text", part.Text
		return made, strings.TrimSpace(part.Text) != "", nil
	case dialect.PartReasoning:
		return thought(part.Reasoning)
	case dialect.PartToolCall:
		made.Type, made.ID, made.Name = "tool_use", dialect.PlainID(part.Call.ID, mostID), part.Call.Name
		made.Input = part.Call.Input()
		return made, true, nil
	case dialect.PartToolResult:
		made.Type, made.ToolUseID, made.IsError = "tool_result", dialect.PlainID(part.Result.CallID, mostID), part.Result.Failed
		for i := range part.Result.Parts {
			inner, ok, err := b.block(&part.Result.Parts[i])
			if err != nil {
				return made, false, err
			}
			if ok {
				made.Content = append(made.Content, inner)
			}
		}
		return made, true, nil
	case dialect.PartImage:
		made.Type = "image"
	case dialect.PartFile:
		made.Type, made.Title = "document", part.Media.Name
	case dialect.PartAudio:
		return made, false, dialect.Invalid("This model's provider takes no audio input.")
	case dialect.PartVideo:
		return made, false, dialect.Invalid("This model's provider takes no video input.")
	}
	var err error
	made.Source, err = b.mediaSource(part)
	return made, true, err
}

package bedrock

import (
	"fmt"
	"slices"
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// mostID is how long the id of a tool call may be.
const mostID = 64

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
				b.request.System = append(b.request.System, textAlone(blocks)...)
				b.dropMedia(i, message)
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
		b.request.Messages, b.request.System = []turn{{Role: "user", Content: b.request.System}}, nil
	case turns[0].Role == "assistant":
		// The least that may stand before an assistant who begins.
		b.request.Messages = slices.Insert(turns, 0, turn{Role: "user", Content: []block{{Text: "."}}})
	}
	b.prefill()
	b.introduce()
	return nil
}

// textAlone is what of blocks may be an instruction.
func textAlone(blocks []block) []block {
	return slices.DeleteFunc(blocks, func(b block) bool { return b.Text == "" })
}

// dropMedia names what an instruction holds besides text.
func (b *builder) dropMedia(i int, message *dialect.Message) {
	for j := range message.Parts {
		if part := &message.Parts[j]; part.Media != nil {
			b.drop(fmt.Sprintf("messages.%d.%s", i, part.Kind.Field()))
		}
	}
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
		at := len(t.Content)
		if blocks[i].ToolResult != nil {
			if first := slices.IndexFunc(t.Content, func(b block) bool { return b.ToolResult == nil }); first >= 0 {
				at = first
			}
		}
		t.Content = slices.Insert(t.Content, at, blocks[i])
	}
}

// prefill takes the space off the end of an answer that the model is to continue (row
// 124); the models refuse it.
func (b *builder) prefill() {
	last := &b.request.Messages[len(b.request.Messages)-1]
	if last.Role == "assistant" {
		end := &last.Content[len(last.Content)-1]
		end.Text = strings.TrimRight(end.Text, " \t\r\n")
	}
}

// introduce puts some text into turns with documents, which are refused without.
func (b *builder) introduce() {
	for i := range b.request.Messages {
		t := &b.request.Messages[i]
		has := func(part func(block) bool) bool { return slices.ContainsFunc(t.Content, part) }
		if has(func(b block) bool { return b.Document != nil }) && !has(func(b block) bool { return b.Text != "" }) {
			t.Content = append(t.Content, block{Text: "."})
		}
	}
}

func (b *builder) blocks(i int, message *dialect.Message) ([]block, error) {
	parts := message.Parts
	if message.Role == dialect.RoleAssistant {
		parts = dialect.JoinThoughts(parts)
	}
	blocks := make([]block, 0, len(parts))
	name := message.Name
	for j := range parts {
		made, ok, err := b.block(i, &parts[j])
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		if made.Text != "" && name != "" && message.Role != dialect.RoleTool {
			// There is no field for the speaker's name (row 125).
			made.Text, name = name+": "+made.Text, ""
		}
		blocks = append(blocks, made)
	}
	return blocks, nil
}

// block writes a part of message i, and reports false for one that the API has no
// place for.
func (b *builder) block(i int, part *dialect.Part) (block, bool, error) {
	made := block{marker: part.CacheControl}
	switch part.Kind {
	case dialect.PartText, dialect.PartRefusal:
		made.Text = part.Text
		return made, strings.TrimSpace(part.Text) != "", nil
	case dialect.PartReasoning:
		made.Reasoning = thought(part.Reasoning)
		return made, made.Reasoning != nil, nil
	case dialect.PartToolCall:
		made.ToolUse = &toolUse{ToolUseID: dialect.PlainID(part.Call.ID, mostID), Name: part.Call.Name, Input: part.Call.Input()}
		return made, true, nil
	case dialect.PartToolResult:
		var err error
		made.ToolResult, err = b.result(i, part.Result)
		return made, true, err
	}
	err := b.media(i, part, &made)
	return made, true, err
}

func (b *builder) result(i int, result *dialect.ToolResult) (*toolResult, error) {
	made := &toolResult{ToolUseID: dialect.PlainID(result.CallID, mostID)}
	if result.Failed {
		made.Status = "error"
	}
	for j := range result.Parts {
		part := &result.Parts[j]
		if part.Kind == dialect.PartAudio {
			return nil, dialect.Invalid("'messages.%d': this model's provider takes no audio in the result of a tool.", i)
		}
		inner, ok, err := b.block(i, part)
		if err != nil {
			return nil, err
		}
		if ok {
			made.Content = append(made.Content, inner)
		}
	}
	if len(made.Content) == 0 {
		// A result has content, and no text in it is blank.
		made.Content = []block{{Text: "(no output)"}}
	}
	return made, nil
}

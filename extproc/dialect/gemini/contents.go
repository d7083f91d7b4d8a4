package gemini

import (
	"slices"
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// conversation puts messages into turns of user and model. The user begins.
func (b *builder) conversation() error {
	var instructions []part
	for i := range b.chat.Messages {
		message := &b.chat.Messages[i]
		parts, err := b.parts(i, message)
		if err != nil {
			return err
		}
		switch message.Role {
		case dialect.RoleSystem, dialect.RoleDeveloper:
			if len(b.request.Contents) == 0 {
				instructions = append(instructions, parts...)
				continue
			}
			b.add("user", parts)
		case dialect.RoleAssistant:
			b.add("model", parts)
		default:
			b.add("user", parts)
		}
	}
	switch turns := b.request.Contents; {
	case len(turns) == 0 && len(instructions) == 0:
		return invalid("Input must have at least 1 token.")
	case len(turns) == 0:
		// Instructions alone are an answerable prompt elsewhere.
		b.request.Contents = []content{{Role: "user", Parts: instructions}}
		return nil
	case turns[0].Role == "model":
		// The least that may stand before a model that begins.
		b.request.Contents = slices.Insert(turns, 0, content{Role: "user", Parts: []part{text(".")}})
	}
	if len(instructions) > 0 {
		b.request.SystemInstruction = &content{Parts: instructions}
	}
	return nil
}

// add appends parts to the turn of a role, which goes on if it is the last. The
// results of tools are a turn of their own.
func (b *builder) add(role string, parts []part) {
	if len(parts) == 0 {
		return
	}
	turns := b.request.Contents
	if last := len(turns) - 1; last >= 0 && turns[last].Role == role && !turns[last].results() {
		turns[last].Parts = append(turns[last].Parts, parts...)
		return
	}
	b.request.Contents = append(turns, content{Role: role, Parts: parts})
}

func (c *content) results() bool { return c.Parts[0].FunctionResponse != nil }

// addResult puts a tool's result into the turn behind the model's last one, which is
// where the API looks for it. What the user said in between comes later.
func (b *builder) addResult(result part) {
	turns := b.request.Contents
	at := len(turns)
	for at > 0 && turns[at-1].Role != "model" {
		at--
	}
	if at < len(turns) && turns[at].results() {
		turns[at].Parts = append(turns[at].Parts, result)
		return
	}
	b.request.Contents = slices.Insert(turns, at, content{Role: "user", Parts: []part{result}})
}

// parts are those of message i. Results of tools are not among them: they have
// their place already.
func (b *builder) parts(i int, message *dialect.Message) ([]part, error) {
	parts := make([]part, 0, len(message.Parts))
	name := message.Name
	for j := range message.Parts {
		said := &message.Parts[j]
		switch said.Kind {
		case dialect.PartText, dialect.PartRefusal:
			if said.Text == "" {
				continue // the API refuses a part without content
			}
			words := said.Text
			if name != "" && message.Role != dialect.RoleTool {
				// There is no field for the speaker's name (row 125).
				words, name = name+": "+words, ""
			}
			parts = append(parts, text(words))
		case dialect.PartToolCall:
			b.calls[said.Call.ID] = said.Call.Name
			parts = append(parts, part{FunctionCall: &functionCall{ID: said.Call.ID, Name: said.Call.Name, Args: said.Call.Input()}})
		case dialect.PartToolResult:
			shown, err := b.result(i, message, said.Result)
			if err != nil {
				return nil, err
			}
			parts = append(parts, shown...)
		case dialect.PartReasoning:
			// Below, as it belongs to the parts that it led to.
		default:
			made, err := b.media(i, said)
			if err != nil {
				return nil, err
			}
			parts = append(parts, made)
		}
	}
	if message.Role == dialect.RoleAssistant {
		parts = b.sign(parts, message.Parts)
	}
	return parts, nil
}

// result puts a tool's text where it belongs. What else the tool showed is returned:
// the user has to show it.
func (b *builder) result(i int, message *dialect.Message, result *dialect.ToolResult) ([]part, error) {
	name, called := b.calls[result.CallID]
	if !called {
		name = message.Name
	}
	if name == "" {
		return nil, invalid("'messages.%d': no message before it calls a tool with the id %q.", i, result.CallID)
	}
	var words []string
	var shown []part
	for j := range result.Parts {
		said := &result.Parts[j]
		if said.Kind == dialect.PartText {
			words = append(words, said.Text)
			continue
		}
		made, err := b.media(i, said)
		if err != nil {
			return nil, err
		}
		shown = append(shown, made)
	}
	b.addResult(part{FunctionResponse: &functionResponse{
		ID: result.CallID, Name: name, Response: response(strings.Join(words, "\n"), result.Failed),
	}})
	return shown, nil
}

func text(words string) part { return part{Text: &words} }

package responses

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// conversation writes what is said as items. Instructions that come first have a
// member of their own, but not where there is nothing else.
func (b *builder) conversation() error {
	messages := b.chat.Messages
	instructions := ""
	if len(messages) > 1 && messages[0].Name == "" {
		if words, plain := plainText(messages[0].Parts, "\n\n"); plain && isInstruction(messages[0].Role) {
			instructions = words
			messages = messages[1:]
		}
	}
	if instructions != "" {
		b.dst = rawjson.AppendText(b.dst, "instructions", instructions)
	}
	b.dst = append(rawjson.AppendName(b.dst, "input"), '[')
	empty := len(b.dst)
	for i := range messages {
		at := i + len(b.chat.Messages) - len(messages)
		if err := b.message(at, &messages[i]); err != nil {
			return err
		}
	}
	if len(b.dst) == empty {
		if instructions == "" {
			return dialect.Invalid("Input must have at least 1 token.")
		}
		return dialect.Invalid("'messages' must say something besides the instructions.")
	}
	b.dst = append(b.dst, ']')
	return nil
}

func isInstruction(role dialect.Role) bool {
	return role == dialect.RoleSystem || role == dialect.RoleDeveloper
}

// plainText joins parts, and reports false if any of them is not text.
func plainText(parts []dialect.Part, separator string) (string, bool) {
	var words []string
	for i := range parts {
		if parts[i].Kind != dialect.PartText {
			return "", false
		}
		words = append(words, parts[i].Text)
	}
	return strings.Join(words, separator), true
}

// message writes message i as items: what is said between two calls, results or
// thoughts is one, and each of those is one.
func (b *builder) message(i int, message *dialect.Message) error {
	if message.Role != dialect.RoleAssistant {
		b.thoughts = nil // they led to nothing
	}
	name := message.Name
	var said []byte // the parts of the item that is open
	for j := range message.Parts {
		part := &message.Parts[j]
		switch part.Kind {
		case dialect.PartReasoning:
			said = b.say(message.Role, said)
			b.think(part.Reasoning)
		case dialect.PartToolCall:
			said = b.say(message.Role, said)
			b.call(part.Call)
		case dialect.PartToolResult:
			said = b.say(message.Role, said)
			if err := b.result(i, part.Result); err != nil {
				return err
			}
		default:
			if part.Kind == dialect.PartText && name != "" && message.Role != dialect.RoleTool {
				// There is no field for the speaker's name (row 125).
				named := *part
				named.Text, name = name+": "+part.Text, ""
				part = &named
			}
			var err error
			if said, err = b.part(said, i, message.Role, part); err != nil {
				return err
			}
		}
	}
	b.say(message.Role, said)
	return nil
}

// say ends the item of what is said, if there is one.
func (b *builder) say(role dialect.Role, said []byte) []byte {
	if len(said) == 0 {
		return nil
	}
	if role == dialect.RoleTool {
		role = dialect.RoleUser
	}
	b.recall()
	dst := append(rawjson.Comma(b.dst), `{"type":"message"`...)
	dst = rawjson.AppendText(dst, "role", string(role))
	dst = append(append(rawjson.AppendName(dst, "content"), '['), said...)
	b.dst = append(dst, ']', '}')
	return nil
}

// part appends a part to those of an item, of which the first has nothing before it.
// Text that says nothing is left out.
func (b *builder) part(said []byte, i int, role dialect.Role, part *dialect.Part) ([]byte, error) {
	if part.Text == "" && (part.Kind == dialect.PartText || part.Kind == dialect.PartRefusal) {
		return said, nil
	}
	if len(said) > 0 {
		said = append(said, ',')
	}
	assistant := role == dialect.RoleAssistant
	switch {
	case part.Kind == dialect.PartText && assistant:
		said = rawjson.AppendText(append(said, `{"type":"output_text"`...), "text", part.Text)
	case part.Kind == dialect.PartText, part.Kind == dialect.PartRefusal && !assistant:
		said = rawjson.AppendText(append(said, `{"type":"input_text"`...), "text", part.Text)
	case part.Kind == dialect.PartRefusal:
		said = rawjson.AppendText(append(said, `{"type":"refusal"`...), "refusal", part.Text)
	case assistant:
		return nil, dialect.Invalid("'messages.%d': this model's provider takes no images or files from the assistant.", i)
	default:
		return b.media(said, i, part)
	}
	return append(said, '}'), nil
}

// media appends an image, a file or a sound of message i.
func (b *builder) media(said []byte, i int, part *dialect.Part) ([]byte, error) {
	m := part.Media
	switch part.Kind {
	case dialect.PartImage:
		said = append(said, `{"type":"input_image"`...)
		if m.FileID != "" {
			said = rawjson.AppendText(said, "file_id", m.FileID)
		} else {
			said = rawjson.AppendText(said, "image_url", location(m))
		}
		detail := m.Detail
		if detail == "" {
			detail = "auto"
		}
		said = rawjson.AppendText(said, "detail", detail)
	case dialect.PartFile:
		said = append(said, `{"type":"input_file"`...)
		switch {
		case m.FileID != "":
			said = rawjson.AppendText(said, "file_id", m.FileID)
		case m.Data == "" && strings.HasPrefix(m.URL, "http"):
			said = rawjson.AppendText(said, "file_url", m.URL)
		default:
			name := m.Name
			if name == "" {
				name = "file.pdf" // one is demanded with data
			}
			said = rawjson.AppendText(said, "filename", name)
			said = rawjson.AppendText(said, "file_data", location(m))
		}
	case dialect.PartAudio:
		if b.target.Strict {
			return nil, dialect.Invalid("'messages.%d': this model's provider takes no audio input.", i)
		}
		said = append(said, `{"type":"input_audio","input_audio":{`...)
		said = append(rawjson.AppendText(rawjson.AppendText(said, "data", m.Data), "format", m.Type), '}')
	default:
		return nil, dialect.Invalid("'messages.%d': this model's provider takes no video input.", i)
	}
	return append(said, '}'), nil
}

// location is a URL, or a data URL.
func location(m *dialect.Media) string {
	if m.Data == "" {
		return m.URL
	}
	return "data:" + m.Type + ";base64," + m.Data
}

func (b *builder) call(call *dialect.ToolCall) {
	if b.calls == nil {
		b.calls = map[string]bool{}
	}
	b.calls[call.ID] = true
	b.recall()
	arguments := call.Arguments
	if arguments == "" {
		arguments = "{}"
	}
	dst := append(rawjson.Comma(b.dst), `{"type":"function_call"`...)
	dst = rawjson.AppendText(dst, "call_id", callID(call.ID))
	dst = rawjson.AppendText(dst, "name", call.Name)
	b.dst = append(rawjson.AppendText(dst, "arguments", arguments), '}')
}

// longestCallID is how long the id of a call may be at OpenAI, in bytes.
const longestCallID = 64

// callID shortens an id that is too long. Different ids stay different.
func callID(id string) string {
	if len(id) <= longestCallID {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "call_" + hex.EncodeToString(sum[:12])
}

// result writes what a tool gave: text as it is, and with images a list. The API has no
// word for a call that failed, which the model has to be told.
func (b *builder) result(i int, result *dialect.ToolResult) error {
	if !b.calls[result.CallID] {
		return dialect.Invalid("'messages.%d': no message before it calls a tool with the id %q.", i, result.CallID)
	}
	dst := append(rawjson.Comma(b.dst), `{"type":"function_call_output"`...)
	dst, err := b.output(rawjson.AppendText(dst, "call_id", callID(result.CallID)), i, result)
	if err != nil {
		return err
	}
	b.dst = append(dst, '}')
	return nil
}

// output appends the member that holds what a tool gave in answer to a call of message i.
func (b *builder) output(dst []byte, i int, result *dialect.ToolResult) ([]byte, error) {
	prefix := ""
	if result.Failed {
		prefix = "Error: "
	}
	if words, plain := plainText(result.Parts, "\n"); plain {
		return rawjson.AppendText(dst, "output", prefix+words), nil
	}
	var given []byte
	if prefix != "" {
		given, _ = b.part(given, i, dialect.RoleUser, &dialect.Part{Text: strings.TrimSpace(prefix)})
	}
	for j := range result.Parts {
		var err error
		if given, err = b.part(given, i, dialect.RoleUser, &result.Parts[j]); err != nil {
			return nil, err
		}
	}
	dst = append(append(rawjson.AppendName(dst, "output"), '['), given...)
	return append(dst, ']'), nil
}

package cohere

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// planID is the id of the reasoning that is what a model plans before it calls tools.
// The API takes it back in a place of its own.
const planID = "tool_plan"

func (b *builder) conversation() error {
	for i := range b.chat.Messages {
		said := &b.chat.Messages[i]
		if said.Role != dialect.RoleTool {
			b.show()
		}
		var err error
		switch said.Role {
		case dialect.RoleSystem, dialect.RoleDeveloper:
			err = b.add(i, "system", said)
		case dialect.RoleAssistant:
			err = b.assistant(i, said)
		case dialect.RoleTool:
			err = b.results(i, said)
		default:
			err = b.add(i, "user", said)
		}
		if err != nil {
			return err
		}
	}
	b.show()
	if len(b.request.Messages) == 0 {
		return dialect.Invalid("Input must have at least 1 token.")
	}
	return nil
}

// add writes a message that says something. One that says nothing the API refuses.
func (b *builder) add(i int, role string, said *dialect.Message) error {
	written := message{Role: role}
	name := said.Name
	for j := range said.Parts {
		made, err := content(i, &said.Parts[j])
		if err != nil {
			return err
		}
		if made == nil {
			continue
		}
		if name != "" && made.Text != nil {
			// There is no field for the speaker's name (row 125).
			words := name + ": " + *made.Text
			made.Text, name = &words, ""
		}
		written.Content = append(written.Content, *made)
	}
	if len(written.Content) > 0 {
		b.request.Messages = append(b.request.Messages, written)
	}
	return nil
}

// assistant writes a turn of the model with its thoughts, its plan and its calls.
func (b *builder) assistant(i int, said *dialect.Message) error {
	written := message{Role: "assistant"}
	for _, part := range dialect.JoinThoughts(said.Parts) {
		switch part.Kind {
		case dialect.PartToolCall:
			written.ToolCalls = append(written.ToolCalls, toolCall{
				ID: part.Call.ID, Type: "function", Function: function{Name: part.Call.Name, Arguments: string(part.Call.Input())},
			})
		case dialect.PartReasoning:
			b.recall(&written, part.Reasoning)
		default:
			made, err := content(i, &part)
			if err != nil {
				return err
			}
			if made != nil {
				written.Content = append(written.Content, *made)
			}
		}
	}
	if len(written.ToolCalls) == 0 {
		written.ToolPlan = "" // of calls that the client has left out
	}
	if len(written.Content) > 0 || len(written.ToolCalls) > 0 {
		b.request.Messages = append(b.request.Messages, written)
	}
	return nil
}

// recall writes a thought of the conversation's past. Thoughts are plain text here, but
// models that do not think take none.
func (b *builder) recall(written *message, thought *dialect.ReasoningDetail) {
	switch {
	case !b.takesThought(thought):
	case thought.ID == planID:
		written.ToolPlan += thought.Text
	default:
		written.Content = append(written.Content, part{Type: "thinking", Thinking: thought.Text})
	}
}

func (b *builder) takesThought(thought *dialect.ReasoningDetail) bool {
	if thought.Type != dialect.ReasoningText || thought.Text == "" {
		return false
	}
	return thought.ID == planID || thought.Format == dialect.FormatUnknown && thought.Signature == "" && b.reasons()
}

// show writes the images that tools gave: the user has to show them, behind all results.
func (b *builder) show() {
	if len(b.shown) > 0 {
		b.request.Messages = append(b.request.Messages, message{Role: "user", Content: b.shown})
		b.shown = nil
	}
}

// results writes what tools gave, each in a message of its own.
func (b *builder) results(i int, said *dialect.Message) error {
	for j := range said.Parts {
		result := said.Parts[j].Result
		if result == nil {
			continue
		}
		written := message{Role: "tool", ToolCallID: result.CallID}
		for k := range result.Parts {
			piece := &result.Parts[k]
			if piece.Kind == dialect.PartText {
				written.Content = append(written.Content, resultPart(piece.Text, result.Failed))
				continue
			}
			made, err := content(i, piece)
			if err != nil {
				return err
			}
			if made != nil {
				b.shown = append(b.shown, *made)
			}
		}
		if len(written.Content) == 0 {
			written.Content = []part{resultPart("", result.Failed)}
		}
		b.request.Messages = append(b.request.Messages, written)
	}
	return nil
}

// resultPart is what a tool gave: an object becomes a document, whose fields the model
// can cite; all else is text, which must not be empty.
func resultPart(words string, failed bool) part {
	given := []byte(strings.TrimSpace(words))
	isObject := rawjson.Kind(given) == '{' && rawjson.Validate(given) == nil
	switch {
	case failed:
		return part{Type: "document", Document: &document{Data: append(rawjson.AppendText([]byte{'{'}, "error", words), '}')}}
	case words == "":
		return part{Type: "document", Document: &document{Data: jsontext.Value(`{"output":""}`)}}
	case isObject:
		return part{Type: "document", Document: &document{Data: jsontext.Value(given)}}
	}
	return part{Type: "text", Text: &words}
}

// content writes a text or an image of message i; nil for a text that is empty.
func content(i int, said *dialect.Part) (*part, error) {
	switch said.Kind {
	case dialect.PartText, dialect.PartRefusal:
		if said.Text == "" {
			return nil, nil
		}
		words := said.Text
		return &part{Type: "text", Text: &words}, nil
	case dialect.PartImage:
		url := said.Media.URL
		if said.Media.Data != "" {
			url = dataURL(said.Media)
		}
		if url == "" {
			return nil, dialect.Invalid("'messages.%d': this model's provider knows no uploaded images; send image_url with a URL or with base64.", i)
		}
		return &part{Type: "image_url", ImageURL: &imageURL{URL: url, Detail: said.Media.Detail}}, nil
	}
	return nil, dialect.Invalid("'messages.%d' holds audio, video or a file; this model's provider takes text and images only.", i)
}

// dataURL puts data into the form that the API takes, by the type's registered name.
func dataURL(media *dialect.Media) string {
	kind := media.Type
	if kind == "image/jpg" {
		kind = "image/jpeg"
	}
	return "data:" + kind + ";base64," + media.Data
}

package gemini

import (
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// readChat reads the whole of a request that Parse accepted into the neutral form. The
// error is of what means something to the Gemini API alone and cannot be left out.
func readChat(body []byte) (*dialect.Chat, error) {
	r := reader{chat: &dialect.Chat{}}
	var contents []byte
	for c := rawjson.Walk(body); c.Next(); {
		if !rawjson.Present(c.Value) {
			continue
		}
		var err error
		switch name := camel(c.Name); name {
		case "contents":
			contents = c.Value // behind the instructions, wherever those stand
		case "systemInstruction":
			r.instructions(c.Value)
		case "tools":
			err = r.tools(c.Value)
		case "toolConfig":
			r.toolChoice(get(c.Value, "functionCallingConfig"))
		case "generationConfig":
			err = r.settings(c.Value)
		case "cachedContent":
			err = dialect.Invalid("'cachedContent' is kept by the Gemini API, and this model's provider is another; send the contents themselves.")
		case "safetySettings":
			r.extra("safety_settings", c.Value)
		case "serviceTier":
			r.chat.ServiceTier = tierOf(rawjson.Text(c.Value))
		case "user":
			r.chat.User = rawjson.Text(c.Value)
		default:
			if ownField(name) {
				r.chat.Unsaid = append(r.chat.Unsaid, name)
			} else if !forGateway(string(c.Name)) {
				r.extra(string(c.Name), c.Value)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	if err := r.contents(contents); err != nil {
		return nil, err
	}
	r.restrict()
	return r.chat, nil
}

// forGateway reports whether a member speaks to the gateway and not to the model.
func forGateway(name string) bool {
	switch name {
	case "model", "provider", "models", "route", "preset", "plugins", "session_id", "user", "trace", "usage", "transforms", "debug":
		return true
	}
	return false
}

// ownField reports whether a member means something to the Gemini API alone.
func ownField(name string) bool {
	switch name {
	case "labels", "store", "continuationToken":
		return true
	}
	return false
}

// reader makes a chat of a request.
type reader struct {
	chat    *dialect.Chat
	allowed []string // the only tools that may be called, if any are named
	calls   []openCall
	called  int // calls so far
}

// openCall is a call whose result has not come yet.
type openCall struct{ id, name string }

func (r *reader) extra(name string, value []byte) {
	r.chat.Extra = append(r.chat.Extra, dialect.Field{Name: name, Value: value})
}

func (r *reader) instructions(value []byte) {
	var parts []dialect.Part
	for c := rawjson.Walk(get(value, "parts")); c.Next(); {
		parts = append(parts, dialect.Part{Kind: dialect.PartText, Text: rawjson.Text(get(c.Value, "text"))})
	}
	if len(parts) > 0 {
		r.chat.Messages = append(r.chat.Messages, dialect.Message{Role: dialect.RoleSystem, Parts: parts})
	}
}

// tools reads functions. A search of the web is asked for otherwise; what else the API
// runs itself, no other provider can.
func (r *reader) tools(value []byte) error {
	i := 0
	for c := rawjson.Walk(value); c.Next(); i++ {
		for m := rawjson.Walk(c.Value); m.Next(); {
			name := camel(m.Name)
			switch {
			case !rawjson.Present(m.Value) || isSearch(name):
			case name == "functionDeclarations":
				for f := rawjson.Walk(m.Value); f.Next(); {
					r.chat.Tools = append(r.chat.Tools, readFunction(f.Value))
				}
			default:
				return dialect.Invalid("'tools.%d.%s' is run by the Gemini API, and this model's provider is another. Declare a function, or choose a model of Google's.", i, name)
			}
		}
	}
	return nil
}

// readFunction reads a declaration. Its schema is JSON Schema, or the API's own subset
// of OpenAPI's.
func readFunction(object []byte) dialect.Tool {
	tool := dialect.Tool{Name: rawjson.Text(get(object, "name")), Description: rawjson.Text(get(object, "description"))}
	if schema := get(object, "parametersJsonSchema"); rawjson.Kind(schema) == '{' {
		tool.Parameters = schema
	} else if schema := get(object, "parameters"); rawjson.Kind(schema) == '{' {
		tool.Parameters = jsonSchema(nil, schema, 0)
	}
	return tool
}

func callingMode(config []byte) string { return strings.ToUpper(rawjson.Text(get(config, "mode"))) }

func (r *reader) toolChoice(config []byte) {
	var allowed []string
	for c := rawjson.Walk(get(config, "allowedFunctionNames")); c.Next(); {
		allowed = append(allowed, rawjson.Text(c.Value))
	}
	choice := &r.chat.ToolChoice
	switch mode := callingMode(config); {
	case mode == "ANY" && len(allowed) == 1:
		choice.Mode, choice.Name = "tool", allowed[0]
	case mode == "ANY":
		choice.Mode, r.allowed = "required", allowed
	case mode == "NONE":
		choice.Mode = "none"
	case mode != "":
		choice.Mode, r.allowed = "auto", allowed
	}
}

// restrict leaves the tools that may be called, where only some may.
func (r *reader) restrict() {
	if len(r.allowed) == 0 {
		return
	}
	kept := r.chat.Tools[:0]
	for _, tool := range r.chat.Tools {
		for _, name := range r.allowed {
			if tool.Name == name {
				kept = append(kept, tool)
				break
			}
		}
	}
	r.chat.Tools = kept
}

package dialect

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// IsForeignTool reports whether a tool is written as Anthropic's API has it ("name",
// "description", "input_schema") or as the Model Context Protocol has it ("name",
// "title", "description", "inputSchema", "annotations"). Programs that list the tools
// of an MCP server tend to pass them on as they are.
func IsForeignTool(object []byte) bool {
	for c := rawjson.Walk(object); c.Next(); {
		switch string(c.Name) {
		case "input_schema", "inputSchema":
			return true
		case "function":
			return false
		}
	}
	return false
}

// ReadForeignTool reads a tool for which [IsForeignTool] holds. What MCP says of its
// answers and for its users' eyes has no place in other APIs. The error continues the
// name of the field that holds the tool.
func ReadForeignTool(object []byte) (Tool, error) {
	tool := Tool{CacheControl: CacheMarker(object)}
	title := ""
	for c := rawjson.Walk(object); c.Next(); {
		switch name := string(c.Name); name {
		case "name":
			tool.Name = rawjson.Text(c.Value)
		case "description":
			tool.Description = rawjson.Text(c.Value)
		case "title":
			title = rawjson.Text(c.Value)
		case "input_schema", "inputSchema":
			if rawjson.Kind(c.Value) != '{' {
				return tool, fmt.Errorf(".%s' must be an object, the JSON Schema of the tool's arguments", name)
			}
			if kind := rawjson.Get(c.Value, "type"); rawjson.Present(kind) && rawjson.Text(kind) != "object" {
				return tool, fmt.Errorf(".%s.type' must be object", name)
			}
			tool.Parameters = c.Value
		case "strict":
			tool.Strict = rawjson.Optional(rawjson.True(c.Value), rawjson.Present(c.Value))
		}
	}
	if tool.Name == "" {
		return tool, fmt.Errorf(".name' must be a string")
	}
	if tool.Description == "" {
		tool.Description = title
	}
	return tool, nil
}

// IsForeignChoice tells Anthropic's choices of a tool by their types.
func IsForeignChoice(value []byte) bool {
	if rawjson.Kind(value) != '{' {
		return false
	}
	switch rawjson.Text(rawjson.Get(value, "type")) {
	case "any", "tool", "auto", "none":
		return true
	}
	return false
}

// Portable is the request's Chat for a provider that does not speak Anthropic's API. A
// tool that searches the web becomes what Chat Completions has for it; the other tools
// whose schema or means that API alone has are refused, not left out: an answer without
// them is another answer. The error is an *Error.
func (r *Request) Portable() (*Chat, error) {
	chat, err := r.Chat()
	if err != nil {
		return nil, err
	}
	if chat.Unsayable != nil {
		return nil, chat.Unsayable
	}
	var portable *Chat
	for i := range chat.Tools {
		tool := chat.Tools[i].Other
		kind := rawjson.Text(rawjson.Get(tool, "type"))
		searches := strings.HasPrefix(kind, "web_search_20") || kind == "openrouter:web_search"
		switch {
		case tool != nil && !searches && (r.Dialect == messagesDialect || isAnthropicTool(kind)):
			return nil, Invalid("'tools.%d.type': this model's provider has no %.64q. Declare a function with a schema, or choose a model whose provider speaks the Messages API.", i, kind)
		case !searches:
			if portable != nil {
				portable.Tools = append(portable.Tools, chat.Tools[i])
			}
			continue
		}
		for _, name := range []string{"allowed_domains", "blocked_domains"} {
			if list := rawjson.Get(tool, name); rawjson.Present(list) && string(list) != "[]" {
				return nil, Invalid("'tools.%d.%s': this model's provider searches the whole web. Leave it out, or choose a model whose provider speaks the Messages API.", i, name)
			}
		}
		if portable == nil {
			shallow := *chat
			portable = &shallow
			portable.Tools = append([]Tool(nil), chat.Tools[:i]...)
			portable.Extra = append(chat.Extra[:len(chat.Extra):len(chat.Extra)], Field{Name: "web_search_options", Value: searchOptions(tool)})
		}
		if name := rawjson.Text(rawjson.Get(tool, "name")); name != "" && portable.ToolChoice.Name == name {
			portable.ToolChoice = ToolChoice{} // others search where they see fit
		}
	}
	if portable != nil {
		return portable, nil
	}
	return chat, nil
}

// messagesDialect is the name of the clients whose tools with a type are all that API's.
const messagesDialect = "anthropic"

// isAnthropicTool tells the tools that Anthropic's API defines, most of them by a date.
func isAnthropicTool(kind string) bool {
	return kind == "mcp_toolset" || strings.Contains(kind, "_20") && !strings.Contains(kind, ":")
}

// searchOptions puts Anthropic's search of the web into Chat Completions' words. How
// often to search at most is the provider's own to decide.
func searchOptions(tool []byte) jsontext.Value {
	options := []byte{'{'}
	if place := rawjson.Get(tool, "user_location"); rawjson.Kind(place) == '{' {
		options = append(rawjson.AppendName(options, "user_location"), `{"type":"approximate","approximate":{`...)
		for c := rawjson.Walk(place); c.Next(); {
			if string(c.Name) != "type" && rawjson.Present(c.Value) {
				options = rawjson.AppendRaw(options, c.Member)
			}
		}
		options = append(options, "}}"...)
	}
	return append(options, '}')
}

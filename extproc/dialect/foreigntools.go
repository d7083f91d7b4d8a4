package dialect

import (
	"fmt"

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

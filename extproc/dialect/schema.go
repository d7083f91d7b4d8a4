package dialect

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// JSONInstruction asks for JSON of any form, in system text that ends with it, where an
// API has a mode for none but JSON of a schema. It binds no model: what asked for the
// form counts as dropped all the same.
const JSONInstruction = "Answer with a single JSON object and nothing else: no words around it, and no code fence."

// ObjectSchema is a tool's schema as one of an object, which is all that some
// providers take. Without parameters any object fits.
func ObjectSchema(parameters jsontext.Value) jsontext.Value {
	if len(parameters) == 0 {
		return jsontext.Value(`{"type":"object"}`)
	}
	if rawjson.Text(rawjson.Get(parameters, "type")) == "object" {
		return parameters
	}
	schema := []byte(`{"type":"object"`)
	for c := rawjson.Walk(parameters); c.Next(); {
		if string(c.Name) != "type" {
			schema = rawjson.AppendRaw(schema, c.Member)
		}
	}
	return append(schema, '}')
}

// ClosedSchema appends a JSON Schema to dst and closes every object in it, as some
// providers demand of a schema for an answer: they refuse an open one.
func ClosedSchema(dst, schema []byte) []byte {
	switch rawjson.Kind(schema) {
	case '[':
		dst = append(dst, '[')
		for c := rawjson.Walk(schema); c.Next(); {
			dst = ClosedSchema(rawjson.Comma(dst), c.Value)
		}
		return append(dst, ']')
	case '{':
	default:
		return append(dst, schema...)
	}
	object := rawjson.Text(rawjson.Get(schema, "type")) == "object"
	dst = append(dst, '{')
	for c := rawjson.Walk(schema); c.Next(); {
		switch string(c.Name) {
		case "additionalProperties":
			if object {
				continue
			}
			dst = rawjson.AppendRaw(dst, c.Member)
		case "enum", "const", "default", "examples":
			// What is in these are values and not schemas.
			dst = rawjson.AppendRaw(dst, c.Member)
		default:
			dst = append(rawjson.AppendQuoted(rawjson.Comma(dst), c.Name), ':')
			dst = ClosedSchema(dst, c.Value)
		}
	}
	if object {
		dst = rawjson.AppendMember(dst, "additionalProperties", []byte("false"))
	}
	return append(dst, '}')
}

package gemini

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// The API has two places for a schema. The older one, `parameters`, is a type of its
// own that refuses additionalProperties, $ref, const, lists of types and empty
// objects. The newer, `parametersJsonSchema`, takes any JSON Schema and ignores what
// it does not know: clients' schemas go there, as they are but for what would be
// ignored and can be said otherwise.

// parameters is the schema of a tool's input, and nothing for a tool that takes none.
func parameters(given jsontext.Value) jsontext.Value {
	if c := rawjson.Walk(given); !c.Next() {
		return nil
	}
	return schema(nil, given, 0)
}

// deepest is how far down a schema is read. The API refuses such nesting anyway, and
// the cost grows with its square.
const deepest = 64

// schema copies a JSON Schema. A const becomes an enum of one; beside a $ref the API
// allows nothing but its like.
func schema(dst, value []byte, depth int) []byte {
	if depth++; depth > deepest {
		return append(dst, value...)
	}
	switch rawjson.Kind(value) {
	case '[':
		dst = append(dst, '[')
		for c := rawjson.Walk(value); c.Next(); {
			dst = schema(rawjson.Comma(dst), c.Value, depth)
		}
		return append(dst, ']')
	case '{':
	default:
		return append(dst, value...)
	}
	refers := rawjson.Kind(rawjson.Get(value, "$ref")) == '"'
	fixed := rawjson.Get(value, "const") != nil
	dst = append(dst, '{')
	for c := rawjson.Walk(value); c.Next(); {
		if refers && (len(c.Name) == 0 || c.Name[0] != '$') {
			continue
		}
		switch string(c.Name) {
		case "const":
			dst = append(append(rawjson.AppendName(dst, "enum"), '['), c.Value...)
			dst = append(dst, ']')
		case "enum":
			if !fixed {
				dst = rawjson.AppendRaw(dst, c.Member)
			}
		case "default", "example", "examples", "required", "propertyOrdering":
			// What is in these are values and not schemas.
			dst = rawjson.AppendRaw(dst, c.Member)
		case "properties", "$defs", "definitions", "patternProperties":
			dst = append(rawjson.AppendQuoted(rawjson.Comma(dst), c.Name), ':')
			dst = named(dst, c.Value, depth)
		default:
			dst = append(rawjson.AppendQuoted(rawjson.Comma(dst), c.Name), ':')
			dst = schema(dst, c.Value, depth)
		}
	}
	return append(dst, '}')
}

// named copies an object whose members are schemas, whatever their names.
func named(dst, object []byte, depth int) []byte {
	if rawjson.Kind(object) != '{' {
		return append(dst, object...)
	}
	dst = append(dst, '{')
	for c := rawjson.Walk(object); c.Next(); {
		dst = append(rawjson.AppendQuoted(rawjson.Comma(dst), c.Name), ':')
		dst = schema(dst, c.Value, depth)
	}
	return append(dst, '}')
}

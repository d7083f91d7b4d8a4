package dialect

import (
	"slices"

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

// ClosedSchema is a JSON Schema as Anthropic's structured outputs take it, for which
// every object in it is closed, and the keywords of it that they refuse and that are left
// out, each with prefix and a dot before it. Whether a schema is recursive, which they
// refuse too, is not looked into. Source: "Structured outputs", JSON Schema limitations.
func ClosedSchema(schema []byte, prefix string) (closed []byte, dropped []string) {
	c := schemaCloser{prefix: prefix}
	closed = c.schema(nil, schema)
	slices.Sort(c.dropped)
	return closed, slices.Compact(c.dropped)
}

type schemaCloser struct {
	prefix  string
	dropped []string
}

func (s *schemaCloser) drop(keyword string) { s.dropped = append(s.dropped, s.prefix+"."+keyword) }

func (s *schemaCloser) schema(dst, schema []byte) []byte {
	if rawjson.Kind(schema) != '{' {
		return append(dst, schema...)
	}
	object := rawjson.Text(rawjson.Get(schema, "type")) == "object"
	dst = append(dst, '{')
	for c := rawjson.Walk(schema); c.Next(); {
		switch name := string(c.Name); name {
		case "additionalProperties":
			if string(c.Value) != "false" {
				s.drop(name)
			}
			if !object {
				dst = rawjson.AppendMember(dst, name, []byte("false"))
			}
		case "properties", "$defs", "definitions":
			dst = s.within(dst, c, '{', '}')
		case "anyOf", "allOf", "oneOf":
			dst = s.within(dst, c, '[', ']')
		case "items":
			dst = s.schema(append(rawjson.AppendQuoted(rawjson.Comma(dst), c.Name), ':'), c.Value)
		case "minItems":
			if least, ok := rawjson.Int(c.Value); !ok || least > 1 {
				s.drop(name)
				continue
			}
			dst = rawjson.AppendRaw(dst, c.Member)
		default:
			if refusedKeywords[name] {
				s.drop(name)
				continue
			}
			dst = rawjson.AppendRaw(dst, c.Member)
		}
	}
	if object {
		dst = rawjson.AppendMember(dst, "additionalProperties", []byte("false"))
	}
	return append(dst, '}')
}

// within appends a member that holds schemas: by name, or in a list.
func (s *schemaCloser) within(dst []byte, member rawjson.Cursor, open, end byte) []byte {
	if rawjson.Kind(member.Value) != open {
		return rawjson.AppendRaw(dst, member.Member)
	}
	dst = append(rawjson.AppendQuoted(rawjson.Comma(dst), member.Name), ':', open)
	for c := rawjson.Walk(member.Value); c.Next(); {
		dst = rawjson.Comma(dst)
		if open == '{' {
			dst = append(rawjson.AppendQuoted(dst, c.Name), ':')
		}
		dst = s.schema(dst, c.Value)
	}
	return append(dst, end)
}

// refusedKeywords are those of JSON Schema that structured outputs refuse whatever their
// value is.
var refusedKeywords = map[string]bool{
	"minimum": true, "maximum": true, "exclusiveMinimum": true, "exclusiveMaximum": true, "multipleOf": true,
	"minLength": true, "maxLength": true,
	"maxItems": true, "uniqueItems": true, "contains": true, "minContains": true, "maxContains": true, "prefixItems": true,
	"unevaluatedItems": true, "additionalItems": true,
	"minProperties": true, "maxProperties": true, "patternProperties": true, "propertyNames": true, "unevaluatedProperties": true,
	"dependencies": true, "dependentRequired": true, "dependentSchemas": true,
	"not": true, "if": true, "then": true, "else": true,
}

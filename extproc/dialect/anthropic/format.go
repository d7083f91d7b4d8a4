package anthropic

import "github.com/switchyard/switchyard/extproc/dialect/rawjson"

// format asks for an answer that keeps to a schema. The API has no mode for JSON
// without one.
func (b *builder) format() {
	if wanted := b.chat.Format; wanted != nil && wanted.Type != "text" {
		if wanted.Type == "json_schema" && len(wanted.Schema) > 0 && b.takes("response_format", "structured_outputs") {
			b.output().Format = &format{Type: "json_schema", Schema: closed(nil, wanted.Schema)}
		} else {
			b.drop("response_format")
		}
	}
	if b.chat.Verbosity == "" {
		return
	}
	// Few models take an effort, and the rest refuse it.
	set := b.request.OutputConfig != nil && b.request.OutputConfig.Effort != ""
	if b.target.Supported == nil || !b.takes("verbosity") || set {
		b.drop("verbosity")
		return
	}
	b.output().Effort = b.chat.Verbosity
}

func (b *builder) output() *outputConfig {
	if b.request.OutputConfig == nil {
		b.request.OutputConfig = &outputConfig{}
	}
	return b.request.OutputConfig
}

// closed copies a JSON Schema and closes every object in it, as the API demands:
// it refuses an open one.
func closed(dst, schema []byte) []byte {
	switch rawjson.Kind(schema) {
	case '[':
		dst = append(dst, '[')
		for c := rawjson.Walk(schema); c.Next(); {
			dst = closed(rawjson.Comma(dst), c.Value)
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
			dst = closed(dst, c.Value)
		}
	}
	if object {
		dst = rawjson.AppendMember(dst, "additionalProperties", []byte("false"))
	}
	return append(dst, '}')
}

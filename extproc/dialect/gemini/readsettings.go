package gemini

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// settings reads generationConfig.
func (r *reader) settings(config []byte) error {
	chat := r.chat
	for c := rawjson.Walk(config); c.Next(); {
		if !rawjson.Present(c.Value) {
			continue
		}
		switch name := camel(c.Name); name {
		case "temperature":
			chat.Temperature = rawjson.Optional(rawjson.Float(c.Value))
		case "topP":
			chat.TopP = rawjson.Optional(rawjson.Float(c.Value))
		case "topK":
			chat.TopK = rawjson.Optional(rawjson.Int(c.Value))
		case "seed":
			chat.Seed = rawjson.Optional(rawjson.Int(c.Value))
		case "presencePenalty":
			chat.PresencePenalty = rawjson.Optional(rawjson.Float(c.Value))
		case "frequencyPenalty":
			chat.FrequencyPenalty = rawjson.Optional(rawjson.Float(c.Value))
		case "maxOutputTokens":
			chat.MaxTokens, _ = rawjson.Int(c.Value)
		case "candidateCount":
			chat.Choices, _ = rawjson.Int(c.Value)
		case "responseLogprobs":
			chat.Logprobs = rawjson.True(c.Value)
		case "logprobs":
			chat.TopLogprobs = rawjson.Optional(rawjson.Int(c.Value))
		case "stopSequences":
			for stop := rawjson.Walk(c.Value); stop.Next(); {
				chat.Stop = append(chat.Stop, rawjson.Text(stop.Value))
			}
		case "responseMimeType":
			switch kind := rawjson.Text(c.Value); {
			case kind == "text/x.enum":
				return dialect.Invalid("'generationConfig.responseMimeType' %q is known to the Gemini API alone, and this model's provider is another; use application/json.", kind)
			case kind == "application/json" && chat.Format == nil:
				chat.Format = &dialect.Format{Type: "json_object"}
			}
		case "responseSchema":
			chat.Format = answerFormat(jsonSchema(nil, c.Value, 0))
		case "responseJsonSchema", "_responseJsonSchema":
			chat.Format = answerFormat(c.Value)
		case "thinkingConfig":
			r.thinking(c.Value)
		case "responseModalities":
			r.modalities(c.Value)
		default:
			r.extra(snake(c.Name), c.Value)
		}
	}
	return nil
}

func answerFormat(schema jsontext.Value) *dialect.Format {
	return &dialect.Format{Type: "json_schema", Name: "answer", Schema: schema}
}

// modalities are asked for where they are more than text, which all models make.
func (r *reader) modalities(list []byte) {
	names := []byte{'['}
	more := false
	for c := rawjson.Walk(list); c.Next(); {
		name := strings.ToLower(rawjson.Text(c.Value))
		more = more || name != "text"
		names = rawjson.AppendQuoted(rawjson.Comma(names), name)
	}
	if more {
		r.extra("modalities", append(names, ']'))
	}
}

// thinking reads how much the model is to think. A budget of -1 leaves it to the model.
func (r *reader) thinking(config []byte) {
	asked := &dialect.Reasoning{}
	given := false
	if level, known := effort(get(config, "thinkingLevel")); known && level != "" {
		asked.Effort, given = level, true
	} else if budget, ok := rawjson.Int(get(config, "thinkingBudget")); ok {
		on := budget != 0
		asked.MaxTokens = max(budget, 0)
		if budget >= 0 {
			asked.Enabled, given = &on, true
		}
	}
	if tell := get(config, "includeThoughts"); tell != nil {
		asked.Exclude, given = !rawjson.True(tell), true
	}
	if given {
		r.chat.Reasoning = asked
	}
}

// effort puts a level of thinking into the hub's terms, "" for none given.
func effort(level []byte) (string, bool) {
	switch name := strings.ToLower(rawjson.Text(level)); name {
	case "minimal", "low", "medium", "high", "xhigh":
		return name, true
	case "", "thinking_level_unspecified":
		return "", level == nil || rawjson.Kind(level) == '"'
	}
	return "", false
}

// snake is a member's name in snake case, as other dialects' clients write it.
func snake(name []byte) string {
	text := make([]byte, 0, len(name)+4)
	for _, c := range name {
		if c >= 'A' && c <= 'Z' {
			text = append(text, '_', c-'A'+'a')
			continue
		}
		text = append(text, c)
	}
	return string(text)
}

// jsonSchema copies a schema of the API's own type, a subset of OpenAPI's, as JSON
// Schema: types are in lower case, and nullable is a type.
func jsonSchema(dst, value []byte, depth int) []byte {
	if depth++; depth > deepest || rawjson.Kind(value) != '{' {
		return append(dst, value...)
	}
	nullable := rawjson.True(get(value, "nullable"))
	dst = append(dst, '{')
	for c := rawjson.Walk(value); c.Next(); {
		if !rawjson.Present(c.Value) {
			continue
		}
		switch name := camel(c.Name); name {
		case "nullable", "propertyOrdering":
		case "type":
			dst = schemaType(rawjson.AppendName(dst, name), c.Value, nullable)
		case "properties":
			dst = append(rawjson.AppendName(dst, name), '{')
			for property := rawjson.Walk(c.Value); property.Next(); {
				dst = append(rawjson.AppendQuoted(rawjson.Comma(dst), property.Name), ':')
				dst = jsonSchema(dst, property.Value, depth)
			}
			dst = append(dst, '}')
		case "items", "additionalProperties":
			dst = jsonSchema(rawjson.AppendName(dst, name), c.Value, depth)
		case "anyOf", "prefixItems":
			dst = append(rawjson.AppendName(dst, name), '[')
			for element := rawjson.Walk(c.Value); element.Next(); {
				dst = jsonSchema(rawjson.Comma(dst), element.Value, depth)
			}
			dst = append(dst, ']')
		case "minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties":
			// 64-bit numbers, which protocol buffers write as strings.
			bound := c.Value
			if rawjson.Kind(bound) == '"' {
				if _, ok := rawjson.Int(rawjson.Unquote(bound)); !ok {
					continue
				}
				bound = rawjson.Unquote(bound)
			}
			dst = append(rawjson.AppendName(dst, name), bound...)
		case "example":
			dst = append(append(rawjson.AppendName(dst, "examples"), '['), c.Value...)
			dst = append(dst, ']')
		default:
			dst = append(append(rawjson.AppendQuoted(rawjson.Comma(dst), name), ':'), c.Value...)
		}
	}
	return append(dst, '}')
}

func schemaType(dst, value []byte, nullable bool) []byte {
	if rawjson.Kind(value) != '"' {
		return append(dst, value...)
	}
	name := strings.ToLower(rawjson.Text(value))
	if !nullable {
		return rawjson.AppendQuoted(dst, name)
	}
	return append(rawjson.AppendQuoted(append(dst, '['), name), `,"null"]`...)
}

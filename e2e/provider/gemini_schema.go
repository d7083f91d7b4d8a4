package provider

import (
	"maps"
	"slices"
	"strings"
)

// The request of generateContent as the Gemini API accepts it. Its JSON is that of
// protocol buffers: what no message has is refused at every level.

var geminiRequest = object(fields{
	"contents":          need(list(1, geminiContent)),
	"systemInstruction": may(object(fields{"role": may(text(0)), "parts": need(list(1, geminiPart))})),
	"tools":             may(list(0, geminiTool)),
	"toolConfig":        may(object(fields{"functionCallingConfig": may(geminiCallingConfig)})),
	"safetySettings": may(list(0, object(fields{
		"category": need(matching(`^HARM_CATEGORY_`)), "threshold": need(matching(`^(BLOCK_|OFF$)`)),
	}))),
	"generationConfig": may(object(fields{
		"candidateCount":     may(integer(1, 8)),
		"maxOutputTokens":    may(integer(1, 1<<31-1)),
		"temperature":        may(number(0, 2)),
		"topP":               may(number(0, 1)),
		"topK":               may(integer(1, 1<<31-1)),
		"seed":               may(integer(-1<<31, 1<<31-1)),
		"presencePenalty":    may(number(-2, 2)),
		"frequencyPenalty":   may(number(-2, 2)),
		"stopSequences":      may(geminiStops),
		"responseModalities": may(list(1, enum("TEXT", "IMAGE", "AUDIO"))),
		"responseMimeType":   may(enum("text/plain", "application/json", "text/x.enum")),
		"responseSchema":     may(geminiSchema),
		"responseJsonSchema": may(geminiJSONSchema),
		"thinkingConfig": may(object(fields{
			"includeThoughts": may(boolean),
			"thinkingLevel":   may(enum("minimal", "low", "medium", "high")),
			"thinkingBudget":  may(integer(-1, 32768)),
		})),
	})),
	"serviceTier":   may(enum("standard", "flex", "priority")),
	"cachedContent": may(text(0)),
})

var geminiContent = tagged("role", map[string]check{
	"user":  object(fields{"role": need(anything), "parts": need(list(1, geminiPart))}),
	"model": object(fields{"role": need(anything), "parts": need(list(1, geminiPart))}),
})

// geminiData are the fields of a part of which one must be set, and only one.
var geminiData = fields{
	"text":       may(text(0)),
	"inlineData": may(object(fields{"mimeType": need(matching(`^[a-z]+/[a-z0-9.+-]+$`)), "data": need(geminiBytes)})),
	"fileData":   may(object(fields{"mimeType": may(matching(`^[a-z]+/[a-z0-9.+-]+$`)), "fileUri": need(matching(`^(https|gs)://`))})),
	"functionCall": may(object(fields{
		"id": may(text(0)), "name": need(geminiToolName), "args": may(mapOf(anything)),
	})),
	"functionResponse": may(object(fields{
		"id": may(text(0)), "name": need(geminiToolName), "response": need(mapOf(anything)),
	})),
}

func geminiPart(at path, value any) *mistake {
	permitted := geminiData.with(fields{"thought": may(boolean), "thoughtSignature": may(text(0))})
	if wrong := object(permitted)(at, value); wrong != nil {
		return wrong
	}
	part := value.(map[string]any)
	set := slices.DeleteFunc(slices.Sorted(maps.Keys(part)), func(name string) bool { return geminiData[name].check == nil })
	switch {
	case len(set) != 1:
		return &mistake{at, badValue, "oneof field 'data' must have one initialized field", strings.Join(set, ", ")}
	case part["text"] == "" && part["thoughtSignature"] == nil:
		return &mistake{at, badValue, "the text parameter is empty", ""}
	}
	return nil
}

// geminiBytes is base64 in either alphabet.
func geminiBytes(at path, value any) *mistake {
	if text, ok := value.(string); ok {
		value = standardAlphabet(text)
	}
	return base64Text(at, value)
}

func standardAlphabet(text string) string {
	return strings.NewReplacer("-", "+", "_", "/").Replace(text)
}

// protobufNames puts the names of fields into camel case, as the JSON of protocol buffers
// takes snake case too. What is no message stays as it is.
func protobufNames(value any) any {
	switch value := value.(type) {
	case []any:
		named := make([]any, len(value))
		for i, element := range value {
			named[i] = protobufNames(element)
		}
		return named
	case map[string]any:
		named := make(map[string]any, len(value))
		for name, member := range value {
			name = camelCase(name)
			switch inner, _ := member.(map[string]any); {
			case name == "args", name == "response" && inner["type"] == nil, strings.HasSuffix(name, "JsonSchema"):
				named[name] = member
			case name == "properties":
				properties := map[string]any{}
				for property, schema := range inner {
					properties[property] = protobufNames(schema)
				}
				named[name] = properties
			default:
				named[name] = protobufNames(member)
			}
		}
		return named
	}
	return value
}

// camelCase is a field's name in camel case, if the API has such a field.
func camelCase(name string) string {
	words := strings.Split(name, "_")
	for i := 1; i < len(words); i++ {
		if words[i] != "" {
			words[i] = strings.ToUpper(words[i][:1]) + words[i][1:]
		}
	}
	if joined := strings.Join(words, ""); slices.Contains(geminiNames, joined) {
		return joined
	}
	return name
}

// geminiNames are the fields whose names are of several words.
var geminiNames = strings.Fields(`systemInstruction toolConfig functionCallingConfig allowedFunctionNames safetySettings
	generationConfig candidateCount maxOutputTokens topP topK presencePenalty frequencyPenalty stopSequences
	responseModalities responseMimeType responseSchema responseJsonSchema thinkingConfig includeThoughts thinkingLevel
	thinkingBudget serviceTier cachedContent inlineData mimeType fileData fileUri functionCall functionResponse
	thoughtSignature functionDeclarations parametersJsonSchema googleSearch urlContext codeExecution anyOf
	propertyOrdering minItems maxItems`)

var geminiToolName = matching(`^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$`)

var geminiTool = object(fields{
	"functionDeclarations": may(list(1, object(fields{
		"name":                 need(geminiToolName),
		"description":          may(text(0)),
		"parameters":           may(geminiSchema),
		"parametersJsonSchema": may(geminiJSONSchema),
		"response":             may(geminiSchema),
		"responseJsonSchema":   may(geminiJSONSchema),
	}))),
	"googleSearch":  may(object(fields{})),
	"urlContext":    may(object(fields{})),
	"codeExecution": may(object(fields{})),
})

var geminiCallingConfig = object(fields{
	"mode":                 need(enum("AUTO", "ANY", "NONE", "VALIDATED")),
	"allowedFunctionNames": may(list(1, geminiToolName)),
})

func geminiStops(at path, value any) *mistake {
	if wrong := list(0, matching(`.`))(at, value); wrong != nil {
		return wrong
	}
	if len(value.([]any)) > 5 {
		return &mistake{at, outOfRange, "0 to 5 sequences", value}
	}
	return nil
}

// geminiSchema is the API's own type of schema, a small part of JSON Schema.
func geminiSchema(at path, value any) *mistake {
	schema := object(fields{
		"type": may(enum("object", "array", "string", "number", "integer", "boolean", "null",
			"OBJECT", "ARRAY", "STRING", "NUMBER", "INTEGER", "BOOLEAN", "NULL")),
		"format": may(text(0)), "title": may(text(0)), "description": may(text(0)),
		"nullable": may(boolean), "enum": may(list(1, text(0))), "pattern": may(text(0)),
		"items": may(geminiSchema), "anyOf": may(list(1, geminiSchema)), "properties": may(mapOf(geminiSchema)),
		"required": may(list(0, text(0))), "propertyOrdering": may(list(0, text(0))),
		"minimum": may(anything), "maximum": may(anything), "minItems": may(anything), "maxItems": may(anything),
		"default": may(anything), "example": may(anything),
	})
	if wrong := schema(at, value); wrong != nil {
		return wrong
	}
	members := value.(map[string]any)
	if kind, _ := members["type"].(string); strings.EqualFold(kind, "object") {
		if properties, _ := members["properties"].(map[string]any); len(properties) == 0 {
			return &mistake{at.to("properties"), badValue, "should be non-empty for OBJECT type", properties}
		}
	}
	return nil
}

// geminiJSONSchema takes any JSON Schema, but nothing beside a $ref.
func geminiJSONSchema(at path, value any) *mistake {
	switch value := value.(type) {
	case []any:
		return list(0, geminiJSONSchema)(at, value)
	case map[string]any:
		if _, refers := value["$ref"].(string); refers {
			for _, name := range slices.Sorted(maps.Keys(value)) {
				if !strings.HasPrefix(name, "$") {
					return &mistake{at.to(name), badValue, "no field beside $ref", value[name]}
				}
			}
		}
		return mapOf(geminiJSONSchema)(at, value)
	}
	return nil
}

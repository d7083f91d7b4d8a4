package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// object is a JSON object, whose keys encoding/json sorts.
type object = map[string]any

// goDuration is what time.ParseDuration takes, but for signs.
const goDuration = `^(0|([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h))+)$`

// writeSchema writes the JSON Schema of a configuration file. Every message
// becomes a definition; null stands for an empty one, as "openai:" in YAML.
func writeSchema(file protoreflect.FileDescriptor) error {
	definitions := object{}
	messages := file.Messages()
	for i := range messages.Len() {
		definitions[string(messages.Get(i).Name())] = messageSchema(messages.Get(i))
	}
	document := object{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"title":   "Switchyard configuration",
		"$ref":    "#/$defs/Config",
		"$defs":   definitions,
	}
	text, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		return err
	}
	name := strings.TrimSuffix(source, ".proto") + ".schema.json"
	return os.WriteFile(filepath.Join(root, name), append(text, '\n'), 0o644)
}

func messageSchema(message protoreflect.MessageDescriptor) object {
	properties := object{}
	fields := message.Fields()
	for i := range fields.Len() {
		properties[string(fields.Get(i).Name())] = described(fields.Get(i), fieldSchema(fields.Get(i)))
	}
	schema := described(message, object{
		"type":                 []string{"object", "null"},
		"properties":           properties,
		"additionalProperties": false,
	})
	oneofs := message.Oneofs()
	for i := range oneofs.Len() {
		if !oneofs.Get(i).IsSynthetic() {
			schema["maxProperties"], schema["minProperties"] = 1, 1
		}
	}
	return schema
}

func fieldSchema(field protoreflect.FieldDescriptor) object {
	rules := rulesOf(field)
	switch {
	case field.IsMap():
		return object{
			"type":                 []string{"object", "null"},
			"propertyNames":        stringSchema(rules.GetMap().GetKeys().GetString()),
			"additionalProperties": valueSchema(field.MapValue(), rules.GetMap().GetValues()),
		}
	case field.IsList():
		schema := object{"type": []string{"array", "null"}, "items": valueSchema(field, rules.GetRepeated().GetItems())}
		if rules.GetRepeated().GetUnique() {
			schema["uniqueItems"] = true
		}
		return schema
	default:
		return orNull(valueSchema(field, rules))
	}
}

// orNull also takes nothing: a field whose value is not written yet is not set.
func orNull(schema object) object {
	switch names := schema["type"].(type) {
	case string:
		schema["type"] = []string{names, "null"}
	case []string:
		schema["type"] = append(names, "null")
	}
	if words, ok := schema["enum"].([]any); ok {
		schema["enum"] = append(words, nil)
	}
	return schema
}

// rulesOf returns the field's rules as the linked type. The compiler's own are
// of a dynamic one, so they pass over the wire.
func rulesOf(field protoreflect.FieldDescriptor) *validate.FieldRules {
	options := &descriptorpb.FieldOptions{}
	if wire, err := proto.Marshal(field.Options()); err != nil || proto.Unmarshal(wire, options) != nil {
		panic("options of " + field.FullName())
	}
	rules, _ := proto.GetExtension(options, validate.E_Field).(*validate.FieldRules)
	return rules
}

func valueSchema(field protoreflect.FieldDescriptor, rules *validate.FieldRules) object {
	switch field.Kind() {
	case protoreflect.BoolKind:
		return object{"type": "boolean"}
	case protoreflect.Uint32Kind:
		schema := object{"type": "integer", "minimum": rules.GetUint32().GetGte()}
		if rules.GetUint32().HasLte() {
			schema["maximum"] = rules.GetUint32().GetLte()
		}
		return schema
	case protoreflect.Int64Kind:
		schema := object{"type": "integer"}
		if rules.GetInt64().HasGte() {
			schema["minimum"] = rules.GetInt64().GetGte()
		}
		return schema
	case protoreflect.DoubleKind:
		schema := object{"type": "number"}
		if rules.GetDouble().HasGte() {
			schema["minimum"] = rules.GetDouble().GetGte()
		}
		return schema
	case protoreflect.EnumKind:
		return object{"enum": anys(enumNames(field.Enum()))}
	case protoreflect.MessageKind:
		if field.Message().FullName() == "google.protobuf.Duration" {
			return object{"type": "string", "pattern": goDuration}
		}
		if field.Message().FullName() == "google.protobuf.Struct" {
			return object{"type": "object"}
		}
		return object{"$ref": "#/$defs/" + string(field.Message().Name())}
	default:
		return stringSchema(rules.GetString())
	}
}

// stringSchema also takes a number where one fits the pattern: prices and sizes.
func stringSchema(rules *validate.StringRules) object {
	schema := object{"type": "string"}
	if rules.HasPattern() {
		schema["pattern"] = rules.GetPattern()
		if digits := regexp.MustCompile(rules.GetPattern()); digits.MatchString("1") && digits.MatchString("100000") && !digits.MatchString("a") {
			schema["type"] = []string{"string", "number"}
		}
	}
	if len(rules.GetIn()) > 0 {
		schema["enum"] = anys(rules.GetIn())
	}
	if rules.HasMinLen() {
		schema["minLength"] = rules.GetMinLen()
	}
	if rules.HasMaxLen() {
		schema["maxLength"] = rules.GetMaxLen()
	}
	return schema
}

// enumNames are the values as they are written in YAML: FailureClass's
// FAILURE_CLASS_RATE_LIMITED is rate_limited.
func enumNames(enum protoreflect.EnumDescriptor) []string {
	var prefix strings.Builder
	for i, letter := range string(enum.Name()) {
		if i > 0 && unicode.IsUpper(letter) {
			prefix.WriteByte('_')
		}
		prefix.WriteRune(unicode.ToUpper(letter))
	}
	var names []string
	values := enum.Values()
	for i := 1; i < values.Len(); i++ {
		names = append(names, strings.ToLower(strings.TrimPrefix(string(values.Get(i).Name()), prefix.String()+"_")))
	}
	return names
}

func anys(words []string) []any {
	all := make([]any, len(words))
	for i, word := range words {
		all[i] = word
	}
	return all
}

// described adds the descriptor's comment.
func described(descriptor protoreflect.Descriptor, schema object) object {
	comment := descriptor.ParentFile().SourceLocations().ByDescriptor(descriptor).LeadingComments
	if text := strings.Join(strings.Fields(comment), " "); text != "" {
		schema["description"] = text
	}
	return schema
}

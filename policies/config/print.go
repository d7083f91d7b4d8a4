package config

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
)

// Print writes the effective configuration as YAML that Parse would read again,
// with fields in the order of the schema, maps sorted, and secrets redacted.
func Print(effective *Effective) []byte {
	config := proto.CloneOf(effective.config)
	for _, provider := range config.GetProviders() {
		for name := range provider.GetHeaders() {
			if isSecretHeader(strings.ToLower(name)) {
				provider.Headers[name] = Redacted
			}
		}
	}
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	if err := encoder.Encode(messageNode(config.ProtoReflect())); err != nil {
		panic(err) // nodes made here, written to memory
	}
	return text.Bytes()
}

func messageNode(message protoreflect.Message) *yaml.Node {
	node := &yaml.Node{Kind: yaml.MappingNode}
	fields := message.Descriptor().Fields()
	for i := range fields.Len() {
		if field := fields.Get(i); message.Has(field) {
			node.Content = append(node.Content, textNode(string(field.Name())), fieldNode(message.Get(field), field))
		}
	}
	return node
}

func fieldNode(value protoreflect.Value, field protoreflect.FieldDescriptor) *yaml.Node {
	switch {
	case field.IsMap():
		node := &yaml.Node{Kind: yaml.MappingNode}
		for _, key := range sortedKeys(value.Map()) {
			item := value.Map().Get(protoreflect.ValueOfString(key).MapKey())
			node.Content = append(node.Content, textNode(key), valueNode(item, field.MapValue()))
		}
		return node
	case field.IsList():
		node := &yaml.Node{Kind: yaml.SequenceNode}
		for i := range value.List().Len() {
			node.Content = append(node.Content, valueNode(value.List().Get(i), field))
		}
		if field.Message() == nil {
			node.Style = yaml.FlowStyle
		}
		return node
	default:
		return valueNode(value, field)
	}
}

func valueNode(value protoreflect.Value, field protoreflect.FieldDescriptor) *yaml.Node {
	switch field.Kind() {
	case protoreflect.MessageKind:
		if duration, ok := value.Message().Interface().(*durationpb.Duration); ok {
			return textNode(durationText(duration))
		}
		if members, ok := value.Message().Interface().(*structpb.Struct); ok {
			node := &yaml.Node{}
			if err := node.Encode(members.AsMap()); err != nil {
				panic(err) // a Struct holds nothing that YAML cannot say
			}
			quoteBeyondNumbers(node)
			return node
		}
		return messageNode(value.Message())
	case protoreflect.EnumKind:
		return textNode(enumName(field.Enum().Values().ByNumber(value.Enum())))
	case protoreflect.BoolKind:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(value.Bool())}
	case protoreflect.StringKind:
		return textNode(value.String())
	default:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: value.String()}
	}
}

// quoteBeyondNumbers quotes the text that anything would else read as a number.
func quoteBeyondNumbers(node *yaml.Node) {
	if node.Kind == yaml.ScalarNode && node.ShortTag() == "!!str" && isBeyondNumbers(node.Value) {
		node.Style = yaml.DoubleQuotedStyle
	}
	for _, child := range node.Content {
		quoteBeyondNumbers(child)
	}
}

// textNode is text, which the encoder quotes where YAML would read a number.
func textNode(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
}

// durationText is 2m where Go writes 2m0s.
func durationText(duration *durationpb.Duration) string {
	text := duration.AsDuration().String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func sortedKeys(values protoreflect.Map) []string {
	keys := make([]string, 0, values.Len())
	values.Range(func(key protoreflect.MapKey, _ protoreflect.Value) bool {
		keys = append(keys, key.String())
		return true
	})
	slices.Sort(keys)
	return keys
}

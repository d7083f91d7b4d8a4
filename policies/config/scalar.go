package config

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
)

// scalar decodes what is written on one line. Text stays as it is written, so
// that a price is the decimal that was typed, and never passes through a float.
func (d *decoder) scalar(node *yaml.Node, field protoreflect.FieldDescriptor, at path) (protoreflect.Value, bool) {
	if node.Kind != yaml.ScalarNode || isNull(node) {
		d.report.failAt(positionOf(node), at, "must be %s, not %s", kindName(field), describe(node))
		return protoreflect.Value{}, false
	}
	if !isPlainTag(node) {
		d.report.failAt(positionOf(node), at, "the tag %s is not supported; write the value alone", node.ShortTag())
		return protoreflect.Value{}, false
	}
	value, ok := parseScalar(node.Value, field)
	if !ok {
		d.report.failAt(positionOf(node), at, "must be %s", insteadOf(node.Value, field))
	} else if ok = !isAbsence(value, field); !ok {
		d.report.failAt(positionOf(node), at, "must be %s%s", formOf(field), foundText(node.Value))
	}
	return value, ok
}

// isAbsence reports whether a number stands for a field that is not set: whoever writes
// it means something else than the default.
func isAbsence(value protoreflect.Value, field protoreflect.FieldDescriptor) bool {
	if kind := field.Kind(); kind != protoreflect.Uint32Kind && kind != protoreflect.Int64Kind {
		return false
	}
	rules, _ := proto.GetExtension(field.Options(), validate.E_Field).(*validate.FieldRules)
	return rules.GetIgnore() == validate.Ignore_IGNORE_IF_ZERO_VALUE && value.Equal(field.Default())
}

func parseScalar(text string, field protoreflect.FieldDescriptor) (protoreflect.Value, bool) {
	switch field.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(text), true
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(text == "true"), text == "true" || text == "false"
	case protoreflect.Uint32Kind:
		number, err := strconv.ParseUint(text, 10, 32)
		return protoreflect.ValueOfUint32(uint32(number)), err == nil
	case protoreflect.Int64Kind:
		number, err := strconv.ParseInt(text, 10, 64)
		return protoreflect.ValueOfInt64(number), err == nil
	case protoreflect.DoubleKind:
		number, err := strconv.ParseFloat(text, 64)
		return protoreflect.ValueOfFloat64(number), err == nil
	case protoreflect.EnumKind:
		number, ok := enumNumber(field.Enum(), text)
		return protoreflect.ValueOfEnum(number), ok
	case protoreflect.MessageKind: // a duration
		duration, err := time.ParseDuration(text)
		return protoreflect.ValueOfMessage(durationpb.New(duration).ProtoReflect()), err == nil
	default:
		panic(fmt.Sprintf("config: the schema's field %s has a kind that the decoder does not know", field.FullName()))
	}
}

// kindName says what a field takes, for "must be ...".
func kindName(field protoreflect.FieldDescriptor) string {
	switch field.Kind() {
	case protoreflect.BoolKind:
		return "true or false"
	case protoreflect.Uint32Kind:
		return fmt.Sprintf("a whole number from 0 to %d", math.MaxUint32)
	case protoreflect.Int64Kind:
		return "a whole number"
	case protoreflect.DoubleKind:
		return "a number"
	case protoreflect.EnumKind:
		return enumerate(enumNames(field.Enum()), "or")
	case protoreflect.MessageKind:
		if field.Message().FullName() == durationName {
			return "a duration such as 500ms, 30s or 2m"
		}
		return "a mapping of " + enumerate(fieldNames(field.Message().Fields()), "and")
	default:
		return "text"
	}
}

// insteadOf says what a field takes instead of what was written.
func insteadOf(text string, field protoreflect.FieldDescriptor) string {
	if field.Kind() == protoreflect.EnumKind {
		return oneOf(enumNames(field.Enum()), text)
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil && field.Kind() == protoreflect.MessageKind {
		return fmt.Sprintf("%s; %s has no unit", kindName(field), text)
	}
	return fmt.Sprintf("%s, not %q", kindName(field), text)
}

// describe names what stands where something else was expected. It does not
// quote it: it may be a secret in the wrong place.
func describe(node *yaml.Node) string {
	switch {
	case node.Kind == yaml.MappingNode:
		return "a mapping"
	case node.Kind == yaml.SequenceNode:
		return "a list"
	case isNull(node):
		return "nothing"
	case node.ShortTag() == "!!int" || node.ShortTag() == "!!float":
		return "a number"
	default:
		return "text"
	}
}

func isNull(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null"
}

// isPlainTag tells the types that YAML finds by itself from !!binary and from
// tags of the writer's own.
func isPlainTag(node *yaml.Node) bool {
	switch node.ShortTag() {
	case "!!str", "!!int", "!!float", "!!bool", "!!timestamp", "!!merge":
		return true
	default:
		return false
	}
}

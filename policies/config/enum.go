package config

import (
	"strings"
	"unicode"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// Enum values are written short and in lower case: rate_limited is
// FAILURE_CLASS_RATE_LIMITED. The zero value is not written at all.

// enumNames lists what may be written.
func enumNames(enum protoreflect.EnumDescriptor) []string {
	values := enum.Values()
	names := make([]string, 0, values.Len())
	for i := range values.Len() {
		if value := values.Get(i); value.Number() != 0 {
			names = append(names, enumName(value))
		}
	}
	return names
}

func enumName(value protoreflect.EnumValueDescriptor) string {
	prefix := enumPrefix(string(value.Parent().Name()))
	return strings.ToLower(strings.TrimPrefix(string(value.Name()), prefix))
}

// enumNumber finds a value by its short name.
func enumNumber(enum protoreflect.EnumDescriptor, name string) (protoreflect.EnumNumber, bool) {
	values := enum.Values()
	for i := range values.Len() {
		if value := values.Get(i); value.Number() != 0 && enumName(value) == name {
			return value.Number(), true
		}
	}
	return 0, false
}

// enumPrefix turns FailureClass into FAILURE_CLASS_.
func enumPrefix(name string) string {
	var prefix strings.Builder
	for i, letter := range name {
		if i > 0 && unicode.IsUpper(letter) {
			prefix.WriteByte('_')
		}
		prefix.WriteRune(unicode.ToUpper(letter))
	}
	return prefix.String() + "_"
}

package dialect

import (
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// longestName bounds a session's id and a user's name, in characters (spec section
// 9.1, row 109).
const longestName = 256

// ReadText reads a string; the functions below it likewise read a member that is not
// null. Each error names the field, and is an *Error of status 400.
func ReadText(into *string, name string, value []byte) error {
	if rawjson.Kind(value) != '"' {
		return Invalid("'%s' must be a string.", name)
	}
	*into = rawjson.Text(value)
	return nil
}

// ReadName reads the name of a session or a user, which is bounded.
func ReadName(into *string, name string, value []byte) error {
	if err := ReadText(into, name, value); err != nil {
		return err
	}
	return CheckName(name, *into)
}

// CheckName refuses the name of a session or a user that is too long, wherever the
// client gave it. The error is an *Error.
func CheckName(field, value string) error {
	if utf8.RuneCountInString(value) > longestName {
		return Invalid("'%s' must have %d characters or fewer.", field, longestName)
	}
	return nil
}

// ReadBoolean reads a switch.
func ReadBoolean(into *bool, name string, value []byte) error {
	if kind := rawjson.Kind(value); kind != 't' && kind != 'f' {
		return Invalid("'%s' must be true or false.", name)
	}
	*into = rawjson.True(value)
	return nil
}

// ReadObject keeps an object as the client wrote it.
func ReadObject(into *jsontext.Value, name string, value []byte) error {
	if rawjson.Kind(value) != '{' {
		return Invalid("'%s' must be an object.", name)
	}
	*into = value
	return nil
}

// ReadArray keeps an array as the client wrote it.
func ReadArray(into *jsontext.Value, name string, value []byte) error {
	if rawjson.Kind(value) != '[' {
		return Invalid("'%s' must be an array.", name)
	}
	*into = value
	return nil
}

// ReadEffort reads how much a model is to think: one of the efforts of spec section
// 4.5.
func ReadEffort(into *string, name string, value []byte) error {
	switch effort := rawjson.Text(value); effort {
	case "max", "xhigh", "high", "medium", "low", "minimal", "none":
		*into = effort
		return nil
	}
	return Invalid("'%s' must be one of max, xhigh, high, medium, low, minimal and none.", name)
}

// EachText demands an array of strings.
func EachText(name string, value []byte) error {
	if rawjson.Kind(value) != '[' {
		return Invalid("'%s' must be an array of strings.", name)
	}
	i := 0
	for c := rawjson.Walk(value); c.Next(); i++ {
		if rawjson.Kind(c.Value) != '"' {
			return Invalid("'%s.%d' must be a string.", name, i)
		}
	}
	return nil
}

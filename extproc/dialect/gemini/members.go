package gemini

import (
	"bytes"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// The API's JSON is that of protocol buffers, which takes a field's name in camel case
// and in snake case alike.

// camel is a member's name in camel case. A leading underscore belongs to the name.
func camel(name []byte) string {
	switch string(name) { // what every turn has costs no allocation
	case "role":
		return "role"
	case "parts":
		return "parts"
	case "text":
		return "text"
	}
	if bytes.IndexByte(name, '_') < 0 {
		return string(name)
	}
	joined := make([]byte, 0, len(name))
	for i := 0; i < len(name); i++ {
		if name[i] == '_' && i > 0 && i+1 < len(name) && name[i+1] >= 'a' && name[i+1] <= 'z' {
			i++
			joined = append(joined, name[i]-'a'+'A')
			continue
		}
		joined = append(joined, name[i])
	}
	return string(joined)
}

// fields are those that an object has given so far, in camel case.
type fields map[string]bool

// once refuses a field that has been given already, in the other case: which of the two
// counts is each provider's own to decide, and what is reserved must be what counts.
func (f fields) once(path, field string) error {
	if f[field] {
		return dialect.Invalid("'%s%.64s' and '%s%.64s' are the same field; send one of them.", path, field, path, snake([]byte(field)))
	}
	f[field] = true
	return nil
}

// get is the value of an object's member by its name in camel case, and nil if there is
// none or it is null.
func get(object []byte, name string) []byte {
	for c := rawjson.Walk(object); c.Next(); {
		if (string(c.Name) == name || camel(c.Name) == name) && rawjson.Present(c.Value) {
			return c.Value
		}
	}
	return nil
}

package gemini

import (
	"bytes"

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

package dialect

import (
	"slices"

	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// ReadFunction reads what Chat Completions and Responses say of a function in the same
// words; the first says it one level deeper.
func ReadFunction(object []byte) Tool {
	tool := Tool{}
	for c := rawjson.Walk(object); c.Next(); {
		switch string(c.Name) {
		case "name":
			tool.Name = rawjson.Text(c.Value)
		case "description":
			tool.Description = rawjson.Text(c.Value)
		case "parameters":
			if rawjson.Kind(c.Value) == '{' {
				tool.Parameters = c.Value
			}
		case "strict":
			tool.Strict = rawjson.Optional(rawjson.True(c.Value), rawjson.Present(c.Value))
		}
	}
	return tool
}

// ReadSchemaFormat reads what Chat Completions and Responses say of a schema for the
// answer in the same words. The format's type stands elsewhere.
func ReadSchemaFormat(object []byte) *Format {
	format := &Format{}
	for c := rawjson.Walk(object); c.Next(); {
		switch string(c.Name) {
		case "name":
			format.Name = rawjson.Text(c.Value)
		case "description":
			format.Description = rawjson.Text(c.Value)
		case "schema":
			format.Schema = c.Value
		case "strict":
			format.Strict = rawjson.Optional(rawjson.True(c.Value), rawjson.Present(c.Value))
		}
	}
	return format
}

// Allow leaves only the tools of these names, which is what providers without a word
// for a list of those allowed can be told.
func (c *Chat) Allow(names map[string]bool) {
	c.Tools = slices.DeleteFunc(c.Tools, func(tool Tool) bool { return !names[tool.Name] })
}

// CacheMarker is the cache marker of a tool or of a part of a message, or nil.
func CacheMarker(object []byte) []byte {
	if marker := rawjson.Get(object, "cache_control"); rawjson.Kind(marker) == '{' {
		return marker
	}
	return nil
}

package dialect

import (
	"unicode/utf8"

	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// mostModels bounds how many fallbacks are read. How many a request may have is for
// policy to say (spec row 66).
const mostModels = 64

// ReadRouting reads a member that says who shall answer, if it is one of those that
// are the same in every client's dialect and for every kind of request; known reports
// whether it is. value is not null.
func ReadRouting(r *Request, name string, value []byte) (known bool, err error) {
	switch name {
	case "model":
		err = ReadText(&r.Model, name, value)
	case "models":
		err = readModels(r, value)
	case "provider":
		err = ReadObject(&r.Provider, name, value)
	case "plugins":
		err = ReadArray(&r.Plugins, name, value)
	case "transforms":
		err = ReadArray(&r.Transforms, name, value)
	case "debug":
		err = readDebug(r, value)
	case "route":
		err = ReadText(&r.Route, name, value)
	case "preset":
		err = ReadText(&r.Preset, name, value)
	case "session_id":
		err = ReadName(&r.SessionID, name, value)
	default:
		return false, nil
	}
	return true, err
}

func readModels(r *Request, value []byte) error {
	if rawjson.Kind(value) != '[' {
		return Invalid("'models' must be an array of strings.")
	}
	for c := rawjson.Walk(value); c.Next(); {
		if rawjson.Kind(c.Value) != '"' {
			return Invalid("'models.%d' must be a string.", len(r.Models))
		}
		if len(r.Models) == mostModels {
			return Invalid("'models' array must have %d items or fewer.", mostModels)
		}
		r.Models = append(r.Models, rawjson.Text(c.Value))
	}
	return nil
}

// TakeCacheKey makes the `prompt_cache_key` of a request its session, unless it names
// one, or the key is too long for that.
func TakeCacheKey(r *Request, key string) {
	if r.SessionID == "" && utf8.RuneCountInString(key) <= longestName {
		r.SessionID = key
	}
}

// WithWebPlugin adds the plugin that searches the web to those of the request, unless the
// client says more of it there.
func WithWebPlugin(plugins []byte) []byte {
	list := []byte{'['}
	for c := rawjson.Walk(plugins); c.Next(); {
		if rawjson.Text(rawjson.Get(c.Value, "id")) == "web" {
			return plugins
		}
		list = rawjson.AppendRaw(list, c.Value)
	}
	return append(rawjson.AppendRaw(list, []byte(`{"id":"web"}`)), ']')
}

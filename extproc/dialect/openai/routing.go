package openai

import (
	"fmt"
	"unicode/utf8"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// mostModels bounds how many fallbacks are read. How many a request may have is for
// policy to say (spec row 66).
const mostModels = 64

// longestSessionID is in characters (spec row 109).
const longestSessionID = 256

// readRouting reads the members that say who shall answer, and for whom. They are the
// same for every kind of request.
func readRouting(r *dialect.Request, name string, value []byte) error {
	switch name {
	case "model":
		return text(&r.Model, name, value)
	case "models":
		return readModels(r, value)
	case "provider":
		return structure(&r.Provider, name, value, '{', "an object")
	case "plugins":
		return structure(&r.Plugins, name, value, '[', "an array")
	case "route":
		return text(&r.Route, name, value)
	case "preset":
		return text(&r.Preset, name, value)
	case "session_id":
		if err := text(&r.SessionID, name, value); err != nil {
			return err
		}
		if utf8.RuneCountInString(r.SessionID) > longestSessionID {
			return invalid(fmt.Sprintf("'session_id' must have %d characters or fewer.", longestSessionID))
		}
	case "user":
		return text(&r.User, name, value)
	}
	return nil
}

func readModels(r *dialect.Request, value []byte) error {
	if rawjson.Kind(value) != '[' {
		return invalid("'models' must be an array of strings.")
	}
	for c := rawjson.Walk(value); c.Next(); {
		if rawjson.Kind(c.Value) != '"' {
			return invalid(fmt.Sprintf("'models.%d' must be a string.", len(r.Models)))
		}
		if len(r.Models) == mostModels {
			return invalid(fmt.Sprintf("'models' array must have %d items or fewer.", mostModels))
		}
		r.Models = append(r.Models, rawjson.Text(c.Value))
	}
	return nil
}

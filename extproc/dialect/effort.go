package dialect

import (
	"slices"

	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// Efforter is a client dialect whose requests say how much the model is to think.
type Efforter interface {
	// WithEffort is the body of a request that asks for another effort than it does, in
	// the dialect's nearest words. It must have passed Parse, and is not written to.
	WithEffort(body []byte, effort string) []byte
}

// efforts are the levels of spec section 4.5, in order.
var efforts = [...]string{"none", "minimal", "low", "medium", "high", "xhigh", "max"}

// SupportedEffort is the effort to ask a model for that supports some, in any order, of
// which nil is all. A model that must think is not told to stop; one that shall think is
// not told to. Of two that are equally near, the lower one costs less (spec section
// 3.1).
func SupportedEffort(asked string, supported []string, mandatory bool) string {
	at := slices.Index(efforts[:], asked)
	if at < 0 || asked == "none" && !mandatory {
		return asked
	}
	if supported == nil {
		if asked == "none" {
			return "low" // the least that every model which thinks has a word for
		}
		return asked
	}
	nearest, distance := asked, len(efforts)
	for i, effort := range efforts[1:] {
		if d := max(at-i-1, i+1-at); d < distance && slices.Contains(supported, effort) {
			nearest, distance = effort, d
		}
	}
	if nearest == "none" {
		return "low"
	}
	return nearest
}

// AppendEffort appends a `reasoning` that asks for an effort, and is otherwise as the
// client wrote it.
func AppendEffort(dst, reasoning []byte, effort string) []byte {
	dst = rawjson.AppendText(append(dst, '{'), "effort", effort)
	for c := rawjson.Walk(reasoning); c.Next(); {
		switch string(c.Name) {
		case "effort", "enabled", "max_tokens":
		default:
			dst = rawjson.AppendRaw(dst, c.Member)
		}
	}
	return append(dst, '}')
}

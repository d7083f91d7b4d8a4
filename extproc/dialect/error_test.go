package dialect

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

func TestErrorObjectIsWholeWhateverAProviderSaid(t *testing.T) {
	for name, metadata := range map[string]map[string]any{
		"no metadata":                  nil,
		"metadata that is no UTF-8":    {"raw": "\xff"},
		"metadata without a JSON form": {"raw": func() {}},
	} {
		told := &Error{Status: 502, Message: "It said \xff."}
		object := jsontext.Value(told.Object(metadata, nil))
		if !object.IsValid() || !strings.Contains(string(object), "It said \uFFFD.") {
			t.Errorf("%s: %s", name, object)
		}
	}
}

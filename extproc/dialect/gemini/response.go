package gemini

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// response is a tool's result as the object that the API demands: the one that the
// tool gave, or one that holds its words under the name that the API documents.
func response(words string, failed bool) jsontext.Value {
	given := []byte(strings.TrimSpace(words))
	isObject := rawjson.Kind(given) == '{' && rawjson.Validate(given) == nil
	switch {
	case isObject && !failed:
		return given
	case isObject:
		return append(rawjson.AppendMember([]byte{'{'}, "error", given), '}')
	case failed:
		return append(rawjson.AppendText([]byte{'{'}, "error", words), '}')
	}
	return append(rawjson.AppendText([]byte{'{'}, "output", words), '}')
}

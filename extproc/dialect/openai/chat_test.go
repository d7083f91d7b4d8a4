package openai

import (
	"errors"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// What another dialect has no words for, as it means nothing, is refused and not left
// out. A provider of this dialect judges it itself.
func TestFieldsThatMeanNothingAreNotTranslated(t *testing.T) {
	for members, field := range map[string]string{
		`"tools":[{}]`: "'tools.0.function' must be an object.",
		`"tools":[{"type":"function","function":{"name":"f"}},{"type":"function"}]`:                         "'tools.1.function' must be an object.",
		`"tools":[{"type":"function","name":"f","parameters":{}}]`:                                          "'tools.0.function' must be an object.",
		`"tools":[{"type":"function","function":{"description":"d"}}]`:                                      "'tools.0.function.name' must be a string.",
		`"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"maybe"`:                       "'tool_choice' must be auto, none, required, or an object that names a function.",
		`"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":{"type":"function"}`:           "'tool_choice.function.name' must be a string.",
		`"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":{"type":"custom","custom":{}}`: `'tool_choice.type': this model's provider has no choice of type "custom"; choose auto, none, required, or a function.`,
		`"response_format":{"type":"json_schema"}`:                                                          "'response_format.json_schema.schema' must be an object.",
		`"response_format":{"type":"json_schema","json_schema":{"name":1}}`:                                 "'response_format.json_schema.schema' must be an object.",
		`"response_format":{"type":"yaml"}`:                                                                 "'response_format.type' must be one of text, json_object and json_schema.",
	} {
		request, err := Client{}.Parse([]byte(`{` + members + `,"messages":[{"role":"user","content":"hi"}]}`))
		if err != nil {
			t.Fatal(err)
		}
		_, err = request.Chat()
		var told *dialect.Error
		if !errors.As(err, &told) || told.Status != 400 || told.Message != field {
			t.Errorf("%s: %v", members, err)
		}
		if upstream, err := (Provider{}).Request(request, dialect.Target{}); err != nil || !strings.Contains(string(upstream.Body), members) {
			t.Errorf("%s passes as %s, %v", members, upstream.Body, err)
		}
	}
}

func TestHowManyAnswers(t *testing.T) {
	for n, good := range map[string]bool{"1": true, "8": true, "null": true, "0": false, "-1": false, "129": false, "1e9": false, "1.5": false, `"2"`: false} {
		_, err := Client{}.Parse([]byte(`{"n":` + n + `,"messages":[{"role":"user","content":"hi"}]}`))
		if good != (err == nil) || err != nil && !strings.Contains(err.Error(), "'n'") {
			t.Errorf("%s: %v", n, err)
		}
	}
}

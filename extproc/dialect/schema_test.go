package dialect

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What Anthropic's structured outputs refuse goes, and is named. Properties may have any
// name, and values are no schemas.
func TestClosedSchema(t *testing.T) {
	for _, test := range []struct {
		schema, want string
		dropped      []string
	}{
		{`{"type":"object","properties":{"minimum":{"type":"integer","minimum":1,"description":"d"},"not":{"type":"object"}},"required":["minimum"]}`,
			`{"type":"object","properties":{"minimum":{"type":"integer","description":"d"},"not":{"type":"object","additionalProperties":false}},"required":["minimum"],"additionalProperties":false}`,
			[]string{"s.minimum"}},
		{`{"type":"object","additionalProperties":{"type":"string"}}`, `{"type":"object","additionalProperties":false}`, []string{"s.additionalProperties"}},
		{`{"type":"object","additionalProperties":false}`, `{"type":"object","additionalProperties":false}`, nil},
		{`{"anyOf":[{"type":"string","maxLength":3,"const":{"type":"object","minimum":1}},{"type":"array","minItems":1,"maxItems":2,"items":{"type":"object"}}]}`,
			`{"anyOf":[{"type":"string","const":{"type":"object","minimum":1}},{"type":"array","minItems":1,"items":{"type":"object","additionalProperties":false}}]}`,
			[]string{"s.maxItems", "s.maxLength"}},
		{`{"$defs":{"if":{"type":"array","minItems":2}},"not":{},"if":true,"then":{},"$ref":"#/$defs/if"}`,
			`{"$defs":{"if":{"type":"array"}},"$ref":"#/$defs/if"}`, []string{"s.if", "s.minItems", "s.not", "s.then"}},
		{`true`, `true`, nil},
	} {
		got, dropped := ClosedSchema([]byte(test.schema), "s")
		if diff := cmp.Diff(test.want, string(got)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(test.dropped, dropped); diff != "" {
			t.Error(diff)
		}
	}
}

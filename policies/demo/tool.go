package demo

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// tool is a tool that a client offers, in either dialect.
type tool struct {
	Name        string         `json:"name"`
	InputSchema jsontext.Value `json:"input_schema"`
	Function    struct {
		Name       string         `json:"name"`
		Parameters jsontext.Value `json:"parameters"`
	} `json:"function"`
}

// schema is as much of a JSON schema as the demo understands.
type schema struct {
	Type       jsontext.Value            `json:"type"`
	Enum       []jsontext.Value          `json:"enum"`
	Properties map[string]jsontext.Value `json:"properties"`
	Required   []string                  `json:"required"`
}

func (t tool) name() string { return cmp.Or(t.Name, t.Function.Name) }

// arguments fills in what the schema requires, from what the client said.
func (t tool) arguments(asked string) jsontext.Value {
	if t.Name != "" {
		return example(t.InputSchema, asked, 0)
	}
	return example(t.Function.Parameters, asked, 0)
}

var number = regexp.MustCompile(`[0-9]+`)

// example is a value that fits a schema: the first choice of an enumeration, the
// first number that was said, the last word that was said. A schema that the
// demo does not understand is taken for one of an object without members.
func example(raw jsontext.Value, asked string, depth int) jsontext.Value {
	const deepest = 8
	var s schema
	if depth > deepest || json.Unmarshal(raw, &s) != nil {
		return jsontext.Value("{}")
	}
	if len(s.Enum) > 0 {
		return s.Enum[0]
	}
	var kind string
	_ = json.Unmarshal(s.Type, &kind) // none, or a list of types: an object
	switch kind {
	case "string":
		return quote(lastWord(asked))
	case "integer", "number":
		return jsontext.Value(cmp.Or(strings.TrimLeft(number.FindString(asked), "0"), "1"))
	case "boolean":
		return jsontext.Value("true")
	case "array":
		return jsontext.Value("[]")
	}
	var members []string
	for _, name := range slices.Compact(slices.Sorted(slices.Values(s.Required))) {
		members = append(members, fmt.Sprintf("%s:%s", quote(name), example(s.Properties[name], asked, depth+1)))
	}
	return jsontext.Value("{" + strings.Join(members, ",") + "}")
}

func lastWord(text string) string {
	words := strings.Fields(text)
	if len(words) == 0 {
		return ""
	}
	return strings.Trim(words[len(words)-1], ".,;:!?\"'`()")
}

// quote writes text, which came out of JSON and is therefore valid, as JSON.
func quote(text string) jsontext.Value {
	quoted, err := jsontext.AppendQuote(nil, text)
	if err != nil {
		return jsontext.Value(`""`)
	}
	return quoted
}

package toolschema

import (
	"fmt"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/extproc/dialect"
)

const weather = `{"type":"object","properties":{"city":{"type":"string","minLength":1},"days":{"type":"integer","maximum":7},
	"unit":{"enum":["C","F"]}},"required":["city"],"additionalProperties":false}`

const tree = `{"type":"object","properties":{"name":{"type":"string"},"children":{"type":"array","items":{"$ref":"#"}}},"required":["name"]}`

// verdictOn judges one call of a tool, "f", that has the schema. It does so without a
// guard: a panic is a failure.
func verdictOn(parameters, arguments string) verdict {
	c := checker{tools: []dialect.Tool{{Name: "f", Parameters: []byte(parameters)}}, work: mostWork, schemas: make(map[string]*schema)}
	return c.judge(dialect.FunctionCall{Name: "f", Arguments: []byte(arguments)})
}

// TestSection24Arguments holds the verdicts on arguments to draft 7.
func TestSection24Arguments(t *testing.T) {
	for _, test := range []struct {
		name, schema, arguments string
		want                    verdict
	}{
		{"all that is asked", weather, `{"city":"Oslo","days":3,"unit":"C"}`, taken},
		{"a whole float is an integer", weather, `{"city":"Oslo","days":3.0}`, taken},
		{"a required member is missing", weather, `{"days":3}`, refused},
		{"another type", weather, `{"city":7}`, refused},
		{"not whole", weather, `{"city":"Oslo","days":1.5}`, refused},
		{"beyond a maximum", weather, `{"city":"Oslo","days":8}`, refused},
		{"not among an enum", weather, `{"city":"Oslo","unit":"K"}`, refused},
		{"a member that does not exist", weather, `{"city":"Oslo","town":"Oslo"}`, refused},
		{"no JSON", weather, `{'city': 'Oslo'}`, refused},
		{"cut JSON", weather, `{"city":"Os`, refused},
		{"more than JSON", weather, `{"city":"Oslo"} done`, refused},
		{"JSON twice", weather, `{"city":"Oslo"}{"city":"Oslo"}`, refused},
		{"no object", weather, `"Oslo"`, refused},
		{"no object, and no schema against it", `{}`, `[]`, refused},
		{"null", `{}`, `null`, refused},
		{"no arguments where none are needed", `{"type":"object","properties":{}}`, ``, taken},
		{"no arguments where one is needed", weather, " ", refused},
		{"no schema", ``, `{"a":1}`, taken},
		{"a schema that takes nothing", `false`, `{}`, refused},
		{"a member twice: the last counts", weather, `{"city":"","city":"Oslo"}`, taken},
		{"text that is no UTF-8", weather, "{\"city\":\"\xff\"}", taken},
		{"a number that no client can read", weather, `{"city":"Oslo","days":1e999}`, unknown},

		{"a local reference", `{"properties":{"a":{"$ref":"#/definitions/a"}},"definitions":{"a":{"type":"null"}}}`, `{"a":1}`, refused},
		{"a local reference with escapes", `{"properties":{"a":{"$ref":"#/$defs/~0~1/anyOf/1"}},"$defs":{"~/":{"anyOf":[true,{"type":"null"}]}}}`, `{"a":1}`, refused},
		{"members beside a reference do not count in draft 7", `{"properties":{"a":{"$ref":"#/definitions/a","type":"string"}},"definitions":{"a":true}}`, `{"a":1}`, taken},
		{"if, then", `{"if":{"required":["a"]},"then":{"required":["b"]}}`, `{"a":1}`, refused},
		{"a schema that says it is of another draft", `{"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"https://example.com/a","type":"object","required":["a"]}`, `{}`, refused},
		{"a pattern", `{"properties":{"a":{"pattern":"^[a-z]{2,3}$"}}}`, `{"a":"abcd"}`, refused},
		{"a pattern that fits", `{"properties":{"a":{"pattern":"^[a-z]{2,3}$"}}}`, `{"a":"abc"}`, taken},
		{"a tree", tree, `{"name":"a","children":[{"name":"b","children":[{"name":"c"}]}]}`, taken},
		{"a mistake deep in a tree", tree, `{"name":"a","children":[{"name":"b","children":[{}]}]}`, refused},
		{"properties named like keywords", `{"properties":{"$ref":{"type":"string"},"$id":{"type":"string"}}}`, `{"$ref":1}`, refused},

		{"no JSON for a schema", `{"type":`, `{}`, unknown},
		{"no schema for a schema", `{"type":"objekt"}`, `{}`, unknown},
		{"a number for a schema", `1`, `{}`, unknown},
		{"an expression that Go has not", `{"properties":{"a":{"pattern":"^(?=x)"}}}`, `{"a":"x"}`, unknown},
		{"no such place", `{"$ref":"#/definitions/a"}`, `{}`, unknown},
		{"no such element", `{"$ref":"#/allOf/1","allOf":[{}]}`, `{}`, unknown},
		{"a pointer through a string", `{"title":"a","$ref":"#/title/b"}`, `{}`, unknown},
		{"a name within the document", `{"$ref":"#a","definitions":{"a":{"$id":"#a"}}}`, `{}`, unknown},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := verdictOn(test.schema, test.arguments); got != test.want {
				t.Errorf("the verdict is %d, want %d", got, test.want)
			}
		})
	}
}

func TestSection24Check(t *testing.T) {
	tools := []dialect.Tool{
		{Name: "weather", Parameters: []byte(weather)}, {Name: "now"},
		{Name: "odd", Parameters: []byte(`{"type":"objekt"}`)}, {Other: []byte(`{"type":"bash_20250124","name":"bash"}`)},
	}
	call := func(name, arguments string) dialect.FunctionCall {
		return dialect.FunctionCall{Name: name, Arguments: []byte(arguments)}
	}
	for _, test := range []struct {
		name           string
		calls          []dialect.FunctionCall
		valid, invalid int
	}{
		{name: "none"},
		{name: "several", calls: []dialect.FunctionCall{call("weather", `{"city":"Oslo"}`), call("now", ``), call("weather", `{"town":"Oslo"}`)}, valid: 2, invalid: 1},
		{name: "tools that were not offered", calls: []dialect.FunctionCall{call("wether", `{}`), call("", `{}`)}, invalid: 2},
		{name: "a tool that the provider defines", calls: []dialect.FunctionCall{call("bash", `{"command":"ls"}`)}},
		{name: "a schema that is none", calls: []dialect.FunctionCall{call("odd", `{}`), call("odd", `{}`)}},
		{name: "no JSON, whatever the schema", calls: []dialect.FunctionCall{call("odd", `{`)}, invalid: 1},
		{name: "arguments that were not kept", calls: []dialect.FunctionCall{{Name: "weather", Cut: true}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			valid, invalid := Check(tools, test.calls)
			if valid != test.valid || invalid != test.invalid {
				t.Errorf("%d valid and %d invalid, want %d and %d", valid, invalid, test.valid, test.invalid)
			}
		})
	}
}

func FuzzCheck(f *testing.F) {
	f.Add(weather, `{"city":"Oslo","days":3,"unit":"C"}`)
	f.Add(tree, `{"name":"a","children":[{"name":"b"}]}`)
	f.Add(`{"$ref":"#"}`, `{}`)
	f.Add(`{"properties":{"a":{"not":{"$ref":"#/properties/a"}}}}`, `{"a":1}`)
	f.Add(`{"patternProperties":{"a|b":{"pattern":"(x{9}){9}","multipleOf":1e-300,"const":1e308}},"propertyNames":{"$ref":"#/patternProperties/a|b"}}`, `{"a":1e308,"b":"x"}`)
	f.Add(`{"uniqueItems":true,"items":[{"format":"uri"}],"additionalItems":{"contains":false},"dependencies":{"a":["b"],"b":{}}}`, `{"a":[1,1]}`)
	f.Add(`{"allOf":[{"anyOf":[{"oneOf":[{},{"if":{},"then":false,"else":true}]}]}],"$defs":{"a":{"$dynamicRef":"#a"}}}`, `{}`)
	f.Fuzz(func(t *testing.T, schema, arguments string) {
		first := verdictOn(schema, arguments)
		if again := verdictOn(schema, arguments); again != first {
			t.Errorf("the verdict is %d, and then %d", first, again)
		}
	})
}

// BenchmarkCheck is an ordinary call, a large one, and the worst that is known: many
// places, each of which looks at all of the arguments.
func BenchmarkCheck(b *testing.B) {
	edits := `{"edits":[` + strings.Repeat(`{"old":"abc","new":"abd"},`, 99) + `{"old":"abc","new":"abd"}]}`
	places := `{"properties":{"a":{"items":{"allOf":[` + strings.Repeat(`{"minLength":1},`, 99) + `{"minLength":1}]}}}}`
	nested := strings.Repeat(`{"anyOf":[`, 60) + `{"minProperties":9}` + strings.Repeat(`]}`, 60)
	for _, test := range []struct {
		name, schema, arguments string
	}{
		{"ordinary", weather, `{"city":"Oslo","days":3,"unit":"C"}`},
		{"edits", `{"type":"object","properties":{"edits":{"type":"array","items":{"type":"object","properties":{"old":{"type":"string"},"new":{"type":"string"}},"required":["old","new"],"additionalProperties":false}}}}`, edits},
		{"many places", places, `{"a":[` + strings.Repeat(`"ab",`, 550) + `"ab"]}`},
		{"failing places", `{"properties":{"a":{"items":{"anyOf":[` + strings.Repeat(`{"minProperties":9},`, 99) + nested + `]}}}}`, `{"a":[` + strings.Repeat(`{},`, 550) + `{}]}`},
		{"a large schema", `{"allOf":[` + strings.Repeat(`{},`, 4000) + `{}]}`, `{}`},
		{"a large enum", `{"properties":{"a":{"items":{"enum":[` + strings.Repeat(`1,`, 3999) + `1]}}}}`, `{"a":[2,2,2,2,2,2,2,2,2,2,2,2,2,2,2]}`},
		{"a costly pattern", `{"properties":{"a":{"pattern":"(.*.?){20}z"}}}`, `{"a":"` + strings.Repeat("y", 10<<10) + `"}`},
	} {
		b.Run(test.name, func(b *testing.B) {
			b.ReportAllocs()
			var got verdict
			for b.Loop() {
				got = verdictOn(test.schema, test.arguments)
			}
			b.ReportMetric(float64(got), "verdict")
		})
	}
	b.Run("64 of the worst", func(b *testing.B) {
		var tools []dialect.Tool
		var calls []dialect.FunctionCall
		for i := range 64 {
			name := fmt.Sprint(i)
			tools = append(tools, dialect.Tool{Name: name, Parameters: []byte(places)})
			calls = append(calls, dialect.FunctionCall{Name: name, Arguments: []byte(`{"a":[` + strings.Repeat(`"ab",`, 150) + `"ab"]}`)})
		}
		for b.Loop() {
			Check(tools, calls)
		}
	})
}

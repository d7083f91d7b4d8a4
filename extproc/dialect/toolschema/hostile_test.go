package toolschema

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// TestSection24NothingIsLoaded holds that no schema makes the gateway call an address or
// read a file, not even for its meta-schema. Each would refuse the arguments.
func TestSection24NothingIsLoaded(t *testing.T) {
	const refuses = `{"not":{}}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("%s was loaded", r.URL)
		_, _ = w.Write([]byte(refuses))
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "schema.json")
	if err := os.WriteFile(file, []byte(refuses), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		schema string
		want   verdict
	}{
		{`{"$ref":%q}`, unknown},
		{`{"properties":{"a":{"anyOf":[true,{"$ref":%q}]}}}`, unknown},
		{`{"$id":%q,"$ref":"#/definitions/a","definitions":{"a":true}}`, taken},
		{`{"$schema":%q}`, taken},
		{`{"properties":{"a":{"$id":%q,"$ref":"b.json"}}}`, unknown},
		{`{"properties":{"a":{"$schema":%q}}}`, unknown},
		{`{"properties":{"a":{"$dynamicRef":%q,"$recursiveRef":"#"}}}`, taken},
	} {
		for _, address := range []string{server.URL + "/schema.json", "file://" + file, file} {
			schema := fmt.Sprintf(test.schema, address)
			if got := verdictOn(schema, `{"a":1}`); got != test.want {
				t.Errorf("the verdict of %s is %d, want %d", schema, got, test.want)
			}
		}
	}
}

// TestSection24WorkIsBounded holds that what would take longer than anyone lives, or
// all of the stack, is given up at once.
func TestSection24WorkIsBounded(t *testing.T) {
	var doubling strings.Builder
	for i := range 60 {
		fmt.Fprintf(&doubling, `"%d":{"allOf":[{"$ref":"#/definitions/%d"},{"$ref":"#/definitions/%d"}]},`, i, i+1, i+1)
	}
	branching := `{"properties":{"a":{"anyOf":[{"$ref":"#"},{"$ref":"#"}],"minProperties":1}}}`
	for _, test := range []struct {
		name, schema, arguments string
		want                    verdict
	}{
		{"references that double sixty times", `{"$ref":"#/definitions/0","definitions":{` + doubling.String() + `"60":{"type":"object"}}}`, `{}`, unknown},
		{"a tree that branches, in deep arguments", branching, strings.Repeat(`{"a":`, 50) + `1` + strings.Repeat(`}`, 50), unknown},
		{"a tree that branches, in shallow ones", branching, `{"a":{"a":{}}}`, refused},
		{"a schema that is only itself", `{"$ref":"#"}`, `{}`, refused},
		{"two that are each other", `{"$ref":"#/definitions/a","definitions":{"a":{"$ref":"#/definitions/b"},"b":{"$ref":"#/definitions/a"}}}`, `{}`, refused},
		{"a schema that nests", strings.Repeat(`{"not":`, 2000) + `{}` + strings.Repeat(`}`, 2000), `{}`, unknown},
		{"arguments that nest", `{"properties":{"a":{"uniqueItems":true,"const":[[[1]]]}}}`, `{"a":` + strings.Repeat(`[`, 5000) + strings.Repeat(`]`, 5000) + `}`, refused},
		{"a schema that is large", `{"title":"` + strings.Repeat("a", mostSchemaBytes) + `"}`, `{}`, unknown},
		{"a schema of many places", `{"allOf":[` + strings.Repeat(`{},`, mostPlaces) + `{}]}`, `{}`, unknown},
		{"a long reference", `{"$ref":"#/` + strings.Repeat("a", longestReference) + `","` + strings.Repeat("a", longestReference) + `":true}`, `{}`, unknown},
		{"many places and many values", `{"properties":{"a":{"items":{"allOf":[` + strings.Repeat(`{"minLength":1},`, 1000) + `{}]}}}}`,
			`{"a":[` + strings.Repeat(`"b",`, 1000) + `"b"]}`, unknown},
		{"an expression that is longer than it looks", `{"properties":{"a":{"pattern":"(?:abcd){999}"}}}`, `{"a":"b"}`, unknown},
		{"an expression for much text", `{"properties":{"a":{"pattern":"(.?){500}$"}}}`, `{"a":"` + strings.Repeat("b", 60<<10) + `"}`, unknown},
		{"numbers of many digits", `{"properties":{"a":{"multipleOf":1e-300,"maximum":1e299}}}`, `{"a":` + strings.Repeat("9", 300) + `}`, refused},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := verdictOn(test.schema, test.arguments); got != test.want {
				t.Errorf("the verdict is %d, want %d", got, test.want)
			}
		})
	}
}

// TestSection24CallsShareTheWork holds that many calls cost no more than one may.
func TestSection24CallsShareTheWork(t *testing.T) {
	schema := []byte(`{"properties":{"a":{"items":{"allOf":[` + strings.Repeat(`{"minLength":1},`, 100) + `{}]}}}}`)
	arguments := []byte(`{"a":[` + strings.Repeat(`"b",`, 400) + `"b"]}`)
	var tools []dialect.Tool
	var calls []dialect.FunctionCall
	for i := range 64 {
		tools = append(tools, dialect.Tool{Name: fmt.Sprint(i), Parameters: schema})
		calls = append(calls, dialect.FunctionCall{Name: fmt.Sprint(i), Arguments: arguments})
	}
	if valid, invalid := Check(tools, calls); valid == 0 || valid == 64 || invalid != 0 {
		t.Errorf("%d valid and %d invalid; want some of 64 valid and the others unknown", valid, invalid)
	}
}

// TestPanicCostsOneCount holds that a mistake within the check stays there: whoever
// settles an attempt has nobody behind them.
func TestPanicCostsOneCount(t *testing.T) {
	broken := checker{tools: []dialect.Tool{{Name: "f"}}, work: mostWork} // no map to write to
	if got := broken.guarded(dialect.FunctionCall{Name: "f"}); got != unknown {
		t.Errorf("the verdict is %d", got)
	}
}

package toolschema

import (
	"fmt"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// mostSchemaBytes bounds the schema of one tool.
const mostSchemaBytes = 64 << 10

// Where the compiler finds its documents. It asks whether the tool's schema fails to
// fail: below "not" the library looks for an answer only, and collects no reasons.
const (
	locationTool  = "switchyard:tool"
	locationCheck = "switchyard:check"
)

var checkDocument = map[string]any{"not": map[string]any{"$ref": locationTool}}

// schema is a tool's schema, ready for use by one checker.
type schema struct {
	document any
	fails    *jsonschema.Schema
	patterns *patterns
}

// compile reads a tool's parameters as a schema of draft 7 (spec section 2.4), whatever
// it says that it is. Nil means that it cannot be used. A tool without parameters takes
// any.
func (c *checker) compile(parameters []byte) *schema {
	if len(parameters) > mostSchemaBytes {
		return nil
	}
	document, err := read(parameters)
	if err != nil {
		return nil
	}
	if root, isObject := document.(map[string]any); isObject {
		// Names of its own would make it another document than the one we know.
		delete(root, "$schema")
		delete(root, "$id")
	}
	s := &schema{document: document, patterns: &patterns{checker: c}}
	// The library looks for each place among all those before it.
	if places, ok := s.places(1); !ok || !c.spend(places*places/2+64*len(parameters)) {
		return nil
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft7)
	compiler.UseLoader(nothing{})
	compiler.UseRegexpEngine(s.patterns.compile)
	if compiler.AddResource(locationTool, document) != nil || compiler.AddResource(locationCheck, checkDocument) != nil {
		return nil
	}
	if s.fails, err = compiler.Compile(locationCheck); err != nil {
		return nil
	}
	return s
}

func (s *schema) judge(arguments any) verdict {
	fails := s.fails.Validate(arguments) == nil
	switch {
	case s.patterns.spent:
		return unknown
	case fails:
		return refused
	}
	return taken
}

// nothing is a loader that loads nothing: a schema must not make the gateway read
// files or call addresses.
type nothing struct{}

func (nothing) Load(url string) (any, error) {
	return nil, fmt.Errorf("toolschema: %s is not part of the tool's schema", url)
}

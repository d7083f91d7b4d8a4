// Package toolschema tells whether a model calls tools as they were offered: the share
// of calls that it gets right is what Auto Exacto judges endpoints by (spec section 2.4).
//
// Schemas come from clients and arguments from models, and either may be made to cost
// as much as they can. So all work is bounded, nothing is ever loaded from the network
// or from disk, and what cannot be judged within the bounds is left uncounted.
//
// The validator is santhosh-tekuri/jsonschema, which passes the specification's own
// test suite for draft 7, ends at references that lead back to themselves, where others
// overflow the stack, and lets loader and regular expressions be replaced.
package toolschema

import (
	"bytes"
	"errors"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// Check counts the calls that the tools take, and those that they do not: calls of
// tools that were not offered, arguments that are no JSON object, and arguments that
// the tool's schema refuses. Calls that cannot be judged are in neither count.
//
// An ordinary call costs some 100 µs, most of it for its tool's schema. However tools
// and calls are made, it takes no more than some 300 ms.
func Check(tools []dialect.Tool, calls []dialect.FunctionCall) (valid, invalid int) {
	c := checker{tools: tools, work: mostWork, schemas: make(map[string]*schema)}
	for _, call := range calls {
		switch c.guarded(call) {
		case taken:
			valid++
		case refused:
			invalid++
		case unknown:
		}
	}
	return valid, invalid
}

type verdict uint8

const (
	unknown verdict = iota
	taken
	refused
)

// mostWork is what all calls of an answer may cost together. A unit is some
// nanoseconds.
const mostWork = 1 << 24

type checker struct {
	tools   []dialect.Tool
	work    int                // what is left of it
	schemas map[string]*schema // by the tool's name; nil if it cannot be used
}

// guarded judges a call. What the library has not thought of may cost a count, but
// never the gateway.
func (c *checker) guarded(call dialect.FunctionCall) (v verdict) {
	defer func() {
		if recover() != nil {
			v = unknown
		}
	}()
	return c.judge(call)
}

func (c *checker) judge(call dialect.FunctionCall) verdict {
	if call.Cut {
		return unknown
	}
	offered := slices.IndexFunc(c.tools, func(t dialect.Tool) bool { return name(t) == call.Name })
	switch {
	case offered < 0:
		return refused
	case c.tools[offered].Other != nil:
		return unknown // the provider alone knows the schema, as of Anthropic's "bash"
	}
	arguments, err := read(call.Arguments)
	if _, isObject := arguments.(map[string]any); errors.Is(err, errNoJSON) || err == nil && !isObject {
		return refused
	}
	if err != nil {
		return unknown
	}
	s, compiled := c.schemas[call.Name]
	if !compiled {
		s = c.compile(c.tools[offered].Parameters)
		c.schemas[call.Name] = s
	}
	if s == nil || !c.afford(s, arguments, len(call.Arguments)) {
		return unknown
	}
	return s.judge(arguments)
}

func name(tool dialect.Tool) string {
	if tool.Other != nil {
		return rawjson.Text(rawjson.Get(tool.Other, "name"))
	}
	return tool.Name
}

// afford takes what a validation may cost at most off the work that is left, and
// reports whether there was enough. Each place of the schema meets each value of the
// arguments at most once: to enter it costs some 64 units, to read its bytes one each.
func (c *checker) afford(s *schema, arguments any, size int) bool {
	values, depth := extent(arguments)
	places, ok := s.places(depth)
	if !ok {
		return false
	}
	return c.spend(places * (64*values + size))
}

func (c *checker) spend(work int) bool {
	if work > c.work {
		return false
	}
	c.work -= work
	return true
}

// extent counts the values in a JSON value, and how deep they nest.
func extent(value any) (values, depth int) {
	below := func(member any) {
		v, d := extent(member)
		values, depth = values+v, max(depth, d)
	}
	switch value := value.(type) {
	case map[string]any:
		for _, member := range value {
			below(member)
			values++ // the name, which schemas may be about too
		}
	case []any:
		for _, member := range value {
			below(member)
		}
	}
	return values + 1, depth + 1
}

// errNoJSON: the text is not JSON at all, or not only.
var errNoJSON = errors.New("toolschema: not JSON")

// read decodes a JSON text as clients do who are not strict. Nothing stands for an
// empty object: that is how calls without arguments are streamed. Numbers are floats,
// so that none is costly; those that do not fit are an error, but not errNoJSON.
func read(text []byte) (value any, err error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return map[string]any{}, nil
	}
	err = json.Unmarshal(text, &value, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if _, syntax := errors.AsType[*jsontext.SyntacticError](err); syntax {
		return nil, errNoJSON
	}
	return value, err
}

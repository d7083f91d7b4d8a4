package config

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"
)

// report gathers the problems of one configuration, and knows where its fields
// are written.
type report struct {
	file     string
	spans    map[string]span
	faulty   map[string]bool
	problems Problems
	warnings Problems
}

// span is where a field is written.
type span struct{ key, value position }

type position struct{ line, column int }

func newReport(file string) *report {
	return &report{file: file, spans: map[string]span{}, faulty: map[string]bool{}}
}

func positionOf(node *yaml.Node) position {
	return position{line: node.Line, column: node.Column}
}

// failAt says that something is wrong at a place in the file.
func (r *report) failAt(where position, at path, format string, args ...any) {
	r.faulty[at.String()] = true
	r.problems = append(r.problems, r.problem(where, at, format, args...))
}

// fail says that something is wrong with a field, unless it or what holds it
// was already found wrong: one mistake draws one message.
func (r *report) fail(at path, format string, args ...any) {
	if !r.isFaulty(at) {
		r.failAt(r.locate(at), at, format, args...)
	}
}

// failKey is fail for a key of a map.
func (r *report) failKey(at path, format string, args ...any) {
	if !r.isFaulty(at) {
		r.failAt(r.spans[at.String()].key, at, format, args...)
	}
}

func (r *report) warn(at path, format string, args ...any) {
	r.warnings = append(r.warnings, r.problem(r.locate(at), at, format, args...))
}

func (r *report) problem(where position, at path, format string, args ...any) Problem {
	return Problem{
		File: r.file, Line: where.line, Column: where.column,
		Field: at.String(), Text: fmt.Sprintf(format, args...),
	}
}

// sorted returns what is wrong, in the order of the file.
func (r *report) sorted() Problems {
	r.problems.sort()
	return slices.Clip(r.problems)
}

// isFaulty reports whether the field, or one that holds it, was found wrong.
func (r *report) isFaulty(at path) bool {
	for length := len(at); length > 0; length-- {
		if r.faulty[at[:length].String()] {
			return true
		}
	}
	return false
}

// locate finds the field's value. What is not written is where the nearest
// field that should have held it is.
func (r *report) locate(at path) position {
	if found, ok := r.spans[at.String()]; ok {
		return found.value
	}
	for length := len(at) - 1; length > 0; length-- {
		if found, ok := r.spans[at[:length].String()]; ok {
			return found.key
		}
	}
	return position{}
}

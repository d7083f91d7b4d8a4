package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with a configuration, or suspicious about
// it: where, what, and what would be right. It never quotes a secret.
type Problem struct {
	// File is the configuration's name, or "environment" where there is no file.
	File string
	// Line and Column count from 1. They are zero for what is in no file.
	Line, Column int
	// Field is the path of the field, such as keys[0].hash or
	// models["openai/gpt-5"].endpoints. It is empty for the file as a whole.
	Field string
	Text  string
}

// String is file:line:column: field: text.
func (p Problem) String() string {
	var text strings.Builder
	text.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&text, ":%d:%d", p.Line, p.Column)
	}
	text.WriteString(": ")
	if p.Field != "" {
		text.WriteString(p.Field + ": ")
	}
	text.WriteString(p.Text)
	return text.String()
}

// Problems is everything that is wrong with a configuration, in the order of
// the file. It is the error of Load and Parse.
type Problems []Problem

// Error is one line for each problem.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

func (p Problems) sort() {
	slices.SortStableFunc(p, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Field, b.Field))
	})
}

package config

import (
	_ "embed"
	"slices"
)

//go:embed configpb/config.schema.json
var schema []byte

// Schema is the configuration's JSON Schema (draft 2020-12) for editors. It is
// generated with the types, from the proto schema's fields, comments and rules.
// What takes more than one field to judge is left to Load.
func Schema() []byte { return slices.Clone(schema) }

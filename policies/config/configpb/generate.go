// Package configpb is the configuration's schema, and the types generated from it.
package configpb

//go:generate go run -C generate .

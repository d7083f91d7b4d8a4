package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// path leads from the root of the configuration to a field. Each step is held
// as it is written: ".name", "[0]" or ["a key"].
type path []string

func (p path) field(name protoreflect.Name) path {
	return append(slices.Clip(p), "."+string(name))
}

// key writes a key of a map like a field where that is not ambiguous, because
// people write both the same way.
func (p path) key(key string) path {
	const plain = "abcdefghijklmnopqrstuvwxyz0123456789_-"
	if key != "" && strings.Trim(key, plain) == "" {
		return append(slices.Clip(p), "."+key)
	}
	return append(slices.Clip(p), "["+strconv.Quote(key)+"]")
}

func (p path) item(index int) path {
	return append(slices.Clip(p), fmt.Sprintf("[%d]", index))
}

func (p path) String() string {
	return strings.TrimPrefix(strings.Join(p, ""), ".")
}

package toolschema

import (
	"strconv"
	"strings"
)

const (
	// mostPlaces bounds how many places a schema has once references are followed:
	// a kilobyte of references to references can stand for more than there are atoms.
	mostPlaces = 4096
	// deepestPlace bounds how deep they nest.
	deepestPlace = 128
)

// places counts the JSON values in the schema with each reference replaced by what it
// refers to, for arguments that nest to depth. False means that they are too many, or
// that a reference is not one that can be followed here.
func (s *schema) places(depth int) (count int, ok bool) {
	w := walk{document: s.document, depth: depth, following: make(map[string]int)}
	ok = w.enter(s.document, 0)
	return w.count, ok
}

type walk struct {
	document  any
	depth     int            // of the arguments
	count     int            // of places so far
	following map[string]int // how often the place at hand lies within a reference
}

func (w *walk) enter(place any, nested int) bool {
	if w.count++; w.count > mostPlaces || nested > deepestPlace {
		return false
	}
	switch place := place.(type) {
	case []any:
		for _, element := range place {
			if !w.enter(element, nested+1) {
				return false
			}
		}
	case map[string]any:
		for name, member := range place {
			if text, isText := member.(string); isText {
				switch name {
				case "$ref":
					if !w.follow(text, nested+1) {
						return false
					}
				case "$id", "$schema":
					return false // they give references within, or all of it, another meaning
				}
			}
			if !w.enter(member, nested+1) {
				return false
			}
		}
	}
	return true
}

// follow enters what a reference refers to. A schema may refer to itself, as trees do.
// Validation then goes down into the arguments with each round, or ends, so that the
// rounds are as many as the arguments are deep, and one for the names in an object.
func (w *walk) follow(reference string, nested int) bool {
	if w.following[reference] > w.depth+1 {
		return true
	}
	place, ok := resolve(w.document, reference)
	if !ok {
		return false
	}
	w.following[reference]++
	defer func() { w.following[reference]-- }()
	return w.enter(place, nested)
}

// longestReference bounds what is read for each place that a reference stands at.
const longestReference = 1 << 10

var unescape = strings.NewReplacer("~1", "/", "~0", "~")

// resolve finds the place that a reference within a document leads to. References that
// leave it, or that are written in other ways than a JSON pointer, lead nowhere.
func resolve(document any, reference string) (place any, ok bool) {
	pointer, local := strings.CutPrefix(reference, "#")
	if !local || len(pointer) > longestReference || strings.Contains(pointer, "%") {
		return nil, false
	}
	names := strings.Split(pointer, "/")
	if names[0] != "" {
		return nil, false
	}
	place = document
	for _, name := range names[1:] {
		switch inside := place.(type) {
		case map[string]any:
			place, ok = inside[unescape.Replace(name)]
		case []any:
			i, err := strconv.Atoi(name)
			if ok = err == nil && i >= 0 && i < len(inside); ok {
				place = inside[i]
			}
		default:
			ok = false
		}
		if !ok {
			return nil, false
		}
	}
	return place, true
}

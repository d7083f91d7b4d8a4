package importer

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// Diff lists what changes from one catalog to another, a line each: models and
// endpoints that come ("+") and go ("-"), and fields that change ("~"), sorted by
// model. Endpoints are the same if their tags are. It is empty if nothing changes.
func Diff(from, to *configpb.Config) []string {
	var lines []string
	for _, id := range eitherKey(from.GetModels(), to.GetModels()) {
		before, after := from.GetModels()[id], to.GetModels()[id]
		switch {
		case before == nil:
			lines = append(lines, fmt.Sprintf("+ %s (%d endpoints)", id, len(after.GetEndpoints())))
		case after == nil:
			lines = append(lines, fmt.Sprintf("- %s (%d endpoints)", id, len(before.GetEndpoints())))
		default:
			lines = append(lines, diffFields(id, before.ProtoReflect(), after.ProtoReflect())...)
			lines = append(lines, diffEndpoints(id, before, after)...)
		}
	}
	return lines
}

func diffEndpoints(id string, before, after *configpb.Model) []string {
	var lines []string
	old, current := byTag(before), byTag(after)
	for _, tag := range eitherKey(old, current) {
		at := id + " at " + tag
		switch {
		case old[tag] == nil:
			lines = append(lines, "+ "+at)
		case current[tag] == nil:
			lines = append(lines, "- "+at)
		default:
			lines = append(lines, diffFields(at, old[tag].ProtoReflect(), current[tag].ProtoReflect())...)
		}
	}
	return lines
}

func diffFields(at string, before, after protoreflect.Message) []string {
	var lines []string
	old, current := map[string]string{}, map[string]string{}
	flatten(old, "", before)
	flatten(current, "", after)
	for _, field := range eitherKey(old, current) {
		if old[field] != current[field] {
			lines = append(lines, fmt.Sprintf("~ %s: %s: %s → %s", at, field, orNone(old[field]), orNone(current[field])))
		}
	}
	return lines
}

// flatten puts the fields of a message, and of those in it, into a map by their
// paths. A model's endpoints are left to diffEndpoints.
func flatten(into map[string]string, at string, message protoreflect.Message) {
	message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		path := at + string(field.Name())
		switch {
		case field.Name() == "endpoints":
		case field.IsList() && field.Message() == nil:
			// The order of parameters and modalities has no meaning.
			into[path] = sortedText(value.List())
		case field.IsList():
			for i := range value.List().Len() {
				flatten(into, fmt.Sprintf("%s[%d].", path, i), value.List().Get(i).Message())
			}
		case field.Message() != nil:
			flatten(into, path+".", value.Message())
		default:
			into[path] = value.String()
		}
		return true
	})
}

func sortedText(list protoreflect.List) string {
	texts := make([]string, list.Len())
	for i := range texts {
		texts[i] = list.Get(i).String()
	}
	slices.Sort(texts)
	return strings.Join(texts, ", ")
}

func byTag(model *configpb.Model) map[string]*configpb.Endpoint {
	endpoints := make(map[string]*configpb.Endpoint, len(model.GetEndpoints()))
	for _, endpoint := range model.GetEndpoints() {
		endpoints[endpoint.TagOrDefault()] = endpoint
	}
	return endpoints
}

func eitherKey[V any](a, b map[string]V) []string {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(keys)
	return slices.Compact(keys)
}

func orNone(text string) string {
	if strings.TrimSpace(text) == "" {
		return "(none)"
	}
	return text
}

package config

import (
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
)

// bounds are what is read of one file at most, so that neither its size nor a few
// lines of aliases can fill the memory.
type bounds struct {
	bytes int
	// values are counted after aliases are followed.
	values int
}

// A configuration is written by people: a thousand models with prices are about
// 300 kB. Catalogs are made by programs, of all that a market sells.
var (
	configurationBounds = bounds{bytes: 4 << 20, values: 200_000}
	catalogBounds       = bounds{bytes: 32 << 20, values: 2_000_000}
)

// decoder fills messages from YAML as their descriptors say, and goes on after
// an error, so that all are found in one pass.
//
// buf.build/go/protoyaml does not serve here: it takes enums by their long names
// only, suggests nothing for an unknown field, and puts no bound on aliases.
type decoder struct {
	report *report
	values int
	most   int // values
}

// decode fills the message from a file's text.
func decode(r *report, data []byte, most bounds, message proto.Message) {
	document := readDocument(r, data, most.bytes)
	if document == nil {
		return
	}
	d := &decoder{report: r, most: most.values}
	if node, ok := d.enter(document, nil); ok && !isNull(node) {
		d.message(node, message.ProtoReflect(), nil)
	}
}

// entry is a key of a mapping and its value.
type entry struct{ key, value *yaml.Node }

// enter follows an alias, and counts.
func (d *decoder) enter(node *yaml.Node, at path) (*yaml.Node, bool) {
	if d.values++; d.values > d.most {
		if d.values == d.most+1 {
			d.report.failAt(positionOf(node), at, "more than %d values, with those that aliases repeat; write fewer", d.most)
		}
		return nil, false
	}
	if node.Kind == yaml.AliasNode {
		return node.Alias, true
	}
	return node, true
}

// mapping returns the entries of a mapping, without those it had to report.
func (d *decoder) mapping(node *yaml.Node, at path, holds string) []entry {
	if node.Kind != yaml.MappingNode {
		d.report.failAt(positionOf(node), at, "must be a mapping of %s, not %s", holds, describe(node))
		return nil
	}
	entries := make([]entry, 0, len(node.Content)/2)
	lines := make(map[string]int, len(node.Content)/2)
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		switch {
		case key.Kind != yaml.ScalarNode:
			d.report.failAt(positionOf(key), at, "a key must be text, not %s", describe(key))
		case key.ShortTag() == "!!merge":
			d.report.failAt(positionOf(key), at, "merge keys (<<) are not supported; repeat the fields, or give an alias for the whole value")
		case lines[key.Value] != 0:
			d.report.failAt(positionOf(key), at.key(key.Value), "is already set on line %d; keep one of the two", lines[key.Value])
		default:
			lines[key.Value] = key.Line
			entries = append(entries, entry{key, value})
		}
	}
	return entries
}

func (d *decoder) message(node *yaml.Node, message protoreflect.Message, at path) {
	fields := message.Descriptor().Fields()
	names := fieldNames(fields)
	for _, entry := range d.mapping(node, at, enumerate(names, "and")) {
		name := entry.key.Value
		field := fields.ByName(protoreflect.Name(name))
		if field == nil {
			d.unknown(entry.key, at, names)
			continue
		}
		where := at.field(field.Name())
		value, ok := d.enter(entry.value, where)
		if !ok {
			return
		}
		d.report.spans[where.String()] = span{key: positionOf(entry.key), value: spanStart(entry)}
		if isNull(value) {
			continue // "listener:" with everything under it commented out
		}
		if oneof := field.ContainingOneof(); oneof != nil && !oneof.IsSynthetic() && message.WhichOneof(oneof) != nil {
			d.report.failAt(positionOf(entry.key), where, "%s is set as well; keep one of the two", message.WhichOneof(oneof).Name())
			continue
		}
		d.field(value, message, field, where)
	}
}

// unknown reports a field that is not in the schema. The one that was probably
// meant counts as wrong too: that it is missing is no second mistake.
func (d *decoder) unknown(key *yaml.Node, at path, names []string) {
	d.report.failAt(positionOf(key), at.key(key.Value), "unknown field; %s", suggest(key.Value, names))
	if meant := nearest(key.Value, names); meant != "" {
		d.report.faulty[at.field(protoreflect.Name(meant)).String()] = true
	}
}

// field decodes a value that is not null.
func (d *decoder) field(node *yaml.Node, message protoreflect.Message, field protoreflect.FieldDescriptor, at path) {
	switch {
	case field.IsMap():
		d.mapField(node, message.Mutable(field).Map(), field.MapValue(), at)
	case field.IsList():
		d.list(node, message.Mutable(field).List(), field, at)
	default:
		if value, ok := d.value(node, message.NewField(field), field, at); ok {
			message.Set(field, value)
		}
	}
}

func (d *decoder) mapField(node *yaml.Node, into protoreflect.Map, field protoreflect.FieldDescriptor, at path) {
	for _, entry := range d.mapping(node, at, "names to "+kindName(field)) {
		where := at.key(entry.key.Value)
		value, ok := d.enter(entry.value, where)
		if !ok {
			return
		}
		d.report.spans[where.String()] = span{key: positionOf(entry.key), value: spanStart(entry)}
		decoded, ok := into.NewValue(), true
		if !isNull(value) { // "openai:" is a whole provider
			decoded, ok = d.value(value, decoded, field, where)
		}
		if ok {
			into.Set(protoreflect.ValueOfString(entry.key.Value).MapKey(), decoded)
		}
	}
}

func (d *decoder) list(node *yaml.Node, into protoreflect.List, field protoreflect.FieldDescriptor, at path) {
	if node.Kind != yaml.SequenceNode {
		d.report.failAt(positionOf(node), at, "must be a list of %s, not %s", kindName(field), describe(node))
		return
	}
	for i, item := range node.Content {
		where := at.item(i)
		value, ok := d.enter(item, where)
		if !ok {
			return
		}
		d.report.spans[where.String()] = span{key: positionOf(item), value: positionOf(item)}
		decoded, ok := d.value(value, into.NewElement(), field, where)
		if !ok {
			// The item stays in the list, so that the others keep their numbers.
			decoded = into.NewElement()
		}
		into.Append(decoded)
	}
}

// value decodes one value: a message into the given empty one, or a scalar.
func (d *decoder) value(node *yaml.Node, empty protoreflect.Value, field protoreflect.FieldDescriptor, at path) (protoreflect.Value, bool) {
	if field.Message() == nil || field.Message().FullName() == durationName {
		return d.scalar(node, field, at)
	}
	if _, ok := empty.Message().Interface().(*structpb.Struct); ok {
		members, ok := d.anything(node, at)
		return protoreflect.ValueOfMessage(members.ProtoReflect()), ok
	}
	d.message(node, empty.Message(), at)
	return empty, true
}

// durationName is the one message that is written as a scalar.
var durationName = (*durationpb.Duration)(nil).ProtoReflect().Descriptor().FullName()

// spanStart is where a reader looks for an entry's value: a scalar itself, but
// the key of a block that begins on another line.
func spanStart(e entry) position {
	if e.value.Kind == yaml.ScalarNode && !isNull(e.value) {
		return positionOf(e.value)
	}
	return positionOf(e.key)
}

func fieldNames(fields protoreflect.FieldDescriptors) []string {
	names := make([]string, fields.Len())
	for i := range names {
		names[i] = string(fields.Get(i).Name())
	}
	return names
}

package config

import (
	"errors"
	"math"
	"strconv"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/types/known/structpb"
)

const (
	// maxDepth bounds what may stand in what, where the schema does not.
	maxDepth = 64
	// maxExact is the largest whole number up to which JSON readers that use floats
	// tell all from each other.
	maxExact = 1 << 53
)

// anything decodes a mapping whose members the schema does not know, to what
// JSON can say. Text that looks like a time stays text.
func (d *decoder) anything(node *yaml.Node, at path) (*structpb.Struct, bool) {
	if len(at) > maxDepth {
		d.report.failAt(positionOf(node), at[:maxDepth], "is nested more than %d deep; write it flatter", maxDepth)
		return nil, false
	}
	before := len(d.report.problems)
	members := &structpb.Struct{Fields: map[string]*structpb.Value{}}
	for _, entry := range d.mapping(node, at, "members") {
		where := at.key(entry.key.Value)
		d.report.spans[where.String()] = span{key: positionOf(entry.key), value: spanStart(entry)}
		value, ok := d.anyValue(entry.value, where)
		if !ok && d.values > d.most {
			return nil, false
		}
		members.Fields[entry.key.Value] = value
	}
	return members, len(d.report.problems) == before
}

func (d *decoder) anyValue(node *yaml.Node, at path) (*structpb.Value, bool) {
	node, ok := d.enter(node, at)
	switch {
	case !ok:
		return nil, false
	case node.Kind == yaml.MappingNode:
		members, ok := d.anything(node, at)
		return structpb.NewStructValue(members), ok
	case node.Kind == yaml.SequenceNode:
		return d.anyList(node, at)
	case isNull(node):
		return structpb.NewNullValue(), true
	case !isPlainTag(node):
		d.report.failAt(positionOf(node), at, "the tag %s is not supported; write the value alone", node.ShortTag())
		return nil, false
	}
	switch node.ShortTag() {
	case "!!bool":
		// YAML's own words for these are true and false; yes and on are text.
		return structpb.NewBoolValue(node.Value[0] == 't' || node.Value[0] == 'T'), true
	case "!!int", "!!float":
		return d.anyNumber(node, at)
	}
	if node.Style == 0 && isBeyondNumbers(node.Value) {
		return d.anyNumber(node, at)
	}
	return structpb.NewStringValue(node.Value), true
}

func (d *decoder) anyList(node *yaml.Node, at path) (*structpb.Value, bool) {
	list := &structpb.ListValue{Values: make([]*structpb.Value, 0, len(node.Content))}
	fine := len(at) <= maxDepth
	if !fine {
		d.report.failAt(positionOf(node), at[:maxDepth], "is nested more than %d deep; write it flatter", maxDepth)
		return nil, false
	}
	for i, item := range node.Content {
		value, ok := d.anyValue(item, at.item(i))
		if !ok && d.values > d.most {
			return nil, false
		}
		list.Values = append(list.Values, value)
		fine = fine && ok
	}
	return structpb.NewListValue(list), fine
}

// anyNumber reads a number, unless a request would carry another one.
func (d *decoder) anyNumber(node *yaml.Node, at path) (*structpb.Value, bool) {
	if node.ShortTag() == "!!int" {
		var whole int64
		if err := node.Decode(&whole); err != nil || max(whole, -whole) > maxExact || whole == math.MinInt64 {
			d.report.failAt(positionOf(node), at, "%s is too large to be kept exactly; write at most %d, or text", node.Value, maxExact)
			return nil, false
		}
	}
	var number float64
	if err := node.Decode(&number); err != nil || math.IsInf(number, 0) || math.IsNaN(number) {
		d.report.failAt(positionOf(node), at, "must be a number that JSON can say, not %s", node.Value)
		return nil, false
	}
	return structpb.NewNumberValue(number), true
}

// isBeyondNumbers tells 1e400 from text. YAML does not: what no float can hold is
// text to it.
func isBeyondNumbers(text string) bool {
	_, err := strconv.ParseFloat(text, 64)
	return errors.Is(err, strconv.ErrRange)
}

package routing

import (
	"bytes"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// ParsePreferences reads what a request says of who shall answer: its `provider`,
// `plugins` and `transforms` as raw JSON, nil if absent, and its `route` (spec sections
// 2.1 and 4.9). A plugin says more than a transform, and wins.
// Members that it does not know are ignored, as the live API does, and null is as
// good as absent. The error names the field and what is valid; it is fit for the
// client, as HTTP 400.
func ParsePreferences(provider, plugins, transforms []byte, route string) (Preferences, error) {
	var p Preferences
	// The older name of sort.partition, which wins if both are given.
	switch route {
	case "", "fallback":
	case "sort":
		p.Global = true
	default:
		return Preferences{}, fmt.Errorf("route: %q is not valid; want fallback or sort", route)
	}
	if err := eachMember(provider, p.set); err != nil {
		return Preferences{}, fmt.Errorf("provider%w", err)
	}
	// Programs write a list that nobody filled in as an empty one: it admits all, as it
	// does in the configuration.
	p.Only, p.Quantizations = listed(p.Only), listed(p.Quantizations)
	p.Regions, p.Jurisdictions = listed(p.Regions), listed(p.Jurisdictions)
	if err := p.parseTransforms(transforms); err != nil {
		return Preferences{}, fmt.Errorf("transforms%w", err)
	}
	if err := p.parsePlugins(plugins); err != nil {
		return Preferences{}, fmt.Errorf("plugins%w", err)
	}
	return p, nil
}

// set reads one member of `provider`.
func (p *Preferences) set(name string, value jsontext.Value) (err error) {
	switch name {
	case "order":
		p.Order, err = texts(value, maxListed)
	case "allow_fallbacks":
		var allow bool
		allow, err = boolean(value)
		p.NoFallbacks = !allow
	case "require_parameters":
		p.RequireParameters, err = boolean(value)
	case "data_collection":
		var text string
		text, err = oneOf(value, "allow", "deny")
		p.DenyDataCollection = text == "deny"
	case "zdr":
		p.ZDR, err = boolean(value)
	case "enforce_distillable_text":
		p.Distillable, err = boolean(value)
	case "only":
		p.Only, err = texts(value, maxListed)
	case "ignore":
		p.Ignore, err = texts(value, maxListed)
	case "quantizations":
		p.Quantizations, err = textsOf(value, quantizations)
	case "min_quantization":
		p.MinQuantization, err = oneOf(value, quantizations[:len(quantizations)-1]...)
	case "regions":
		p.Regions, err = texts(value, maxListed)
	case "jurisdictions":
		p.Jurisdictions, err = texts(value, maxListed)
	case "sort":
		err = p.parseSort(value)
	case "preferred_min_throughput":
		p.MinThroughput, err = parseThresholds(value)
	case "preferred_max_latency":
		p.MaxLatency, err = parseThresholds(value)
	case "max_price":
		err = eachMember(value, p.MaxPrice.set)
	}
	return err
}

// parseSort reads a name, or an object of a name and a partition.
func (p *Preferences) parseSort(value jsontext.Value) error {
	if value.Kind() != '{' {
		name, err := sortName(value)
		p.Sort = name
		return err
	}
	return eachMember(value, func(member string, value jsontext.Value) (err error) {
		switch member {
		case "by":
			p.Sort, err = sortName(value)
		case "partition":
			var partition string
			partition, err = oneOf(value, "model", "none")
			p.Global = partition == "none"
		}
		return err
	})
}

func sortName(value jsontext.Value) (Sort, error) {
	name, err := oneOf(value, string(SortPrice), string(SortThroughput), string(SortLatency), string(SortExacto))
	return Sort(name), err
}

// parseThresholds reads a number, which is the median's, or one per percentile.
func parseThresholds(value jsontext.Value) (t Thresholds, err error) {
	if value.Kind() != '{' {
		t.P50, err = number(value)
		return t, err
	}
	err = eachMember(value, func(name string, value jsontext.Value) (err error) {
		switch name {
		case "p50":
			t.P50, err = number(value)
		case "p75":
			t.P75, err = number(value)
		case "p90":
			t.P90, err = number(value)
		case "p99":
			t.P99, err = number(value)
		}
		return err
	})
	return t, err
}

// eachMember calls set for the members of an object that are not null, in their
// order. Its errors begin with the path of the member: ".sort.by: ...".
func eachMember(object jsontext.Value, set func(name string, value jsontext.Value) error) error {
	if len(object) == 0 || object.Kind() == 'n' {
		return nil
	}
	if object.Kind() != '{' {
		return wantError("an object")
	}
	decoder := jsontext.NewDecoder(bytes.NewReader(object))
	for _, err := decoder.ReadToken(); ; {
		if err != nil {
			return errMalformed
		}
		if decoder.PeekKind() == '}' {
			return nil
		}
		var token jsontext.Token
		if token, err = decoder.ReadToken(); err != nil {
			return errMalformed
		}
		name := token.String()
		var value jsontext.Value
		if value, err = decoder.ReadValue(); err != nil {
			return errMalformed
		}
		if value.Kind() == 'n' {
			continue
		}
		if err := set(name, value); err != nil {
			return fmt.Errorf(".%s%w", name, err)
		}
	}
}

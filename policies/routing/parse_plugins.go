package routing

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/policies/money"
)

// Bounds of the auto router's patterns, for each of the lists. All but the last are
// those of spec section 3.5. A star costs each model of the catalog a search through
// its id, so their number is what a plan takes time by.
const (
	maxPatterns     = 1024
	maxPatternBytes = 1024
	maxAllPatterns  = 65536
	maxStars        = 128
)

// parsePlugins reads those plugins that bear on routing; others are not ours.
func (p *Preferences) parsePlugins(plugins jsontext.Value) error {
	if len(plugins) == 0 || plugins.Kind() == 'n' {
		return nil
	}
	var list []jsontext.Value
	if plugins.Kind() != '[' || json.Unmarshal(bytes.TrimSpace(plugins), &list) != nil {
		return wantError("an array of objects")
	}
	for i, plugin := range list {
		if err := p.parsePlugin(plugin); err != nil {
			return fmt.Errorf("[%d]%w", i, err)
		}
	}
	return nil
}

func (p *Preferences) parsePlugin(plugin jsontext.Value) error {
	if plugin.Kind() != '{' {
		return wantError("an object")
	}
	id, enabled := "", true
	err := eachMember(plugin, func(name string, value jsontext.Value) (err error) {
		switch name {
		case "id":
			id, err = text(value)
		case "enabled":
			enabled, err = boolean(value)
		}
		return err
	})
	if err != nil {
		return err
	}
	switch id {
	case "":
		return fmt.Errorf(".id: want the name of a plugin, such as %q", "web")
	case "web":
		p.Web = enabled
	case "auto-router", "auto-beta-router":
		if enabled {
			return eachMember(plugin, p.Auto.set)
		}
	case "pareto-router":
		if enabled {
			return eachMember(plugin, p.Pareto.set)
		}
	}
	return nil
}

func (a *AutoRouter) set(name string, value jsontext.Value) (err error) {
	switch name {
	case "allowed_models":
		a.Allowed, err = patterns(value)
	case "excluded_models":
		a.Excluded, err = patterns(value)
	case "cost_tier":
		a.CostTier, err = oneOf(value, costTiers[:]...)
	case "pin_model":
		a.PinModel, err = boolean(value)
	}
	return err
}

func (r *ParetoRouter) set(name string, value jsontext.Value) (err error) {
	switch name {
	case "min_coding_score":
		r.MinCodingScore, err = number(value)
		if err == nil && r.MinCodingScore > 1 {
			err = wantError("a number from 0 to 1")
		}
	case "max_price":
		r.MaxPrice, err = price(value, money.ParsePerMillion)
	}
	return err
}

// patterns reads patterns of model ids. Stars in a row are as good as one.
func patterns(value jsontext.Value) ([]string, error) {
	list, err := texts(value, maxPatterns)
	if err != nil {
		return nil, err
	}
	total, starred := 0, 0
	for i, pattern := range list {
		if len(pattern) > maxPatternBytes {
			return nil, fmt.Errorf("[%d]: a pattern has at most %d characters", i, maxPatternBytes)
		}
		total += len(pattern)
		list[i] = stars.ReplaceAllString(pattern, "*")
		starred += strings.Count(list[i], "*")
	}
	switch {
	case total > maxAllPatterns:
		return nil, wantError(fmt.Sprintf("patterns of at most %d characters together", maxAllPatterns))
	case starred > maxStars:
		return nil, wantError(fmt.Sprintf("patterns with at most %d stars together", maxStars))
	}
	return list, nil
}

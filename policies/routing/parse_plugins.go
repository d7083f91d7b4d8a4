package routing

import (
	"bytes"
	"fmt"
	"slices"
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

// parseTransforms reads the older form of the plugin context-compression: "middle-out"
// among the names turns it on, a list without turns it off.
func (p *Preferences) parseTransforms(transforms jsontext.Value) error {
	if len(transforms) == 0 || transforms.Kind() == 'n' {
		return nil
	}
	names, err := texts(transforms, maxListed)
	p.Compression = switched(slices.Contains(names, middleOut))
	return err
}

// middleOut is the one way to compress a prompt.
const middleOut = "middle-out"

// parsePlugins reads the plugins that the gateway has. Others are accepted, whatever
// their options: the live API has some that are its own.
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
		return eachMember(plugin, checkWeb)
	case "context-compression":
		p.Compression = switched(enabled)
		return eachMember(plugin, checkCompression)
	case "response-healing":
		p.Healing = enabled
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

// checkWeb checks the options of the web plugin. A provider that searches goes by its
// own.
func checkWeb(name string, value jsontext.Value) (err error) {
	switch name {
	case "engine", "mode", "search_prompt":
		_, err = text(value)
	case "max_results", "max_uses":
		_, err = number(value)
	case "include_domains", "exclude_domains":
		_, err = texts(value, maxListed)
	case "user_location":
		err = eachMember(value, func(string, jsontext.Value) error { return nil })
	}
	return err
}

func checkCompression(name string, value jsontext.Value) (err error) {
	if name == "engine" {
		_, err = oneOf(value, middleOut)
	}
	return err
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
	case "cost_quality_tradeoff": // deprecated, and of no effect
		_, err = number(value)
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

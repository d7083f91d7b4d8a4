package config

import "github.com/switchyard/switchyard/policies/config/configpb"

// ParseCatalog reads a catalog file as `switchyard catalog import` writes it: the
// providers and models of a configuration, with no presets applied. The name is
// used in messages. The error is of type [Problems].
func ParseCatalog(name string, data []byte) (*configpb.Config, error) {
	r := newReport(name)
	read := &configpb.Config{}
	decode(r, data, catalogBounds, read)
	catalog := &configpb.Config{Providers: read.GetProviders(), Models: read.GetModels()}
	checkRules(r, catalog)
	if len(r.problems) > 0 {
		r.problems.sort()
		return nil, r.problems
	}
	return catalog, nil
}

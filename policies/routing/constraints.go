package routing

import (
	"errors"
	"fmt"

	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/money"
)

// NewConstraints reads a policy of the gateway or of a key, whose empty lists
// admit all. A nil policy is nil constraints, which admit all too. The error
// joins everything that is wrong, each with the path of its field.
func NewConstraints(from *configpb.Policy) (*Constraints, error) {
	if from == nil {
		return nil, nil
	}
	c := &Constraints{
		Only:               listed(from.GetOnly()),
		Ignore:             listed(from.GetIgnore()),
		AllowedModels:      listed(from.GetAllowedModels()),
		IgnoredModels:      listed(from.GetIgnoredModels()),
		DenyDataCollection: from.GetDataCollection() == configpb.DataCollection_DATA_COLLECTION_DENY,
		NoFreeTraining:     from.GetNoTraining(),
		NoPaidTraining:     from.GetNoTraining(),
		ZDR:                from.GetZdr(),
		Distillable:        from.GetEnforceDistillableText(),
		Quantizations:      listed(from.GetQuantizations()),
		MinQuantization:    from.GetMinQuantization(),
		Regions:            listed(from.GetRegions()),
		Jurisdictions:      listed(from.GetJurisdictions()),
	}
	var failures []error
	bound := func(field, text string, parse func(string) (money.USD, error)) *money.USD {
		if text == "" {
			return nil
		}
		amount, err := parse(text)
		if err != nil {
			failures = append(failures, fmt.Errorf("max_price.%s: %w", field, err))
		}
		return &amount
	}
	price := from.GetMaxPrice()
	c.MaxPrice = MaxPrice{
		Prompt:     bound("prompt", price.GetPrompt(), money.ParsePerMillion),
		Completion: bound("completion", price.GetCompletion(), money.ParsePerMillion),
		Request:    bound("request", price.GetRequest(), money.Parse),
		Image:      bound("image", price.GetImage(), money.Parse),
		Audio:      bound("audio", price.GetAudio(), money.Parse),
	}
	return c, errors.Join(failures...)
}

// listed is a copy of a list, or nil if it is empty: the schema cannot tell an
// empty list from none.
func listed(from []string) []string { return append([]string(nil), from...) }

package config

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// checkModels checks the models and their references to providers. It runs
// before the rules, because it knows better why a model has no endpoint.
func (l *loader) checkModels(config *configpb.Config) {
	slugs := slices.Sorted(maps.Keys(config.GetProviders()))
	for id, model := range config.GetModels() {
		at := path{".models"}.key(id)
		if len(model.GetEndpoints()) == 0 {
			l.failUnserved(id, config, at.field("endpoints"))
		}
		for i, endpoint := range model.GetEndpoints() {
			if _, ok := config.GetProviders()[endpoint.GetProvider()]; !ok && endpoint.GetProvider() != "" && !l.report.isFaulty(path{".providers"}) {
				l.report.fail(at.field("endpoints").item(i).field("provider"), "there is no provider %q; %s", endpoint.GetProvider(), suggest(endpoint.GetProvider(), slugs))
			}
			if config.GetProviders()[endpoint.GetProvider()].GetCredential() != nil && isFree(endpoint) {
				l.report.warn(at.field("endpoints").item(i), "has no price, so it counts as free and is tried before what costs; set prices, or prices: {prompt: 0} if it is free")
			}
		}
		checkEndpoints(l.report, model, at)
		if _, err := time.Parse(time.DateOnly, model.GetExpirationDate()); err != nil && model.GetRefuseExpired() {
			l.report.fail(at.field("expiration_date"), "want a day such as 2027-01-31, not %q", model.GetExpirationDate())
		}
	}
}

// isFree reports whether an endpoint is free because nobody said what it costs.
// Free variants, and models that cost by something else than tokens, say so.
func isFree(endpoint *configpb.Endpoint) bool {
	prices := endpoint.GetPrices()
	return prices.GetPrompt() == "" && prices.GetCompletion() == "" && prices.GetRequest() == "" && prices.GetImage() == "" &&
		prices.GetGeneratedImage() == "" && prices.GetCharacter() == "" && prices.GetSecond() == ""
}

// failUnserved reports a model without endpoints. A provider that is configured is
// no advice: it starts from another preset than the one of its name.
func (l *loader) failUnserved(id string, config *configpb.Config, at path) {
	var serving []string
	for _, endpoint := range l.known.GetModels()[id].GetEndpoints() {
		slug := endpoint.GetProvider()
		if config.GetProviders()[slug] == nil && !slices.Contains(serving, slug) {
			serving = append(serving, slug)
		}
	}
	if len(serving) == 0 {
		l.report.fail(at, "there are none; name at least one provider that serves the model")
		return
	}
	l.report.fail(at, "no configured provider serves this model; add %s under providers, or an endpoint here", enumerate(serving, "or"))
}

// checkEndpoints reports what the endpoints of one model contradict each other in,
// and prices that hold at no time of day.
func checkEndpoints(r *report, model *configpb.Model, at path) {
	seen, tags := map[string]bool{}, map[string]int{}
	canaries := uint32(0)
	for i, endpoint := range model.GetEndpoints() {
		at := at.field("endpoints").item(i)
		checkOverrides(r, endpoint.GetPrices(), at.field("prices"))
		if endpoint.GetProvider() == "" || endpoint.GetDisabled() {
			continue
		}
		tag := endpoint.TagOrDefault()
		same := fmt.Sprintf("%q %q", endpoint.GetModel(), tag)
		first, taken := tags[tag]
		switch {
		case seen[same]:
			r.fail(at, "is listed twice; give one of them another model and tag, or remove it")
		case taken:
			r.fail(at.field("tag"), "%q is the tag of endpoints[%d] as well; give one of them a tag of its own", tag, first)
		default:
			tags[tag] = i
		}
		seen[same] = true
		if canaries += endpoint.GetCanaryPercent(); endpoint.GetCanaryPercent() > 0 && canaries > 100 {
			r.fail(at.field("canary_percent"), "makes %d percent with the canaries above; together they get at most 100", canaries)
		}
	}
}

// checkOverrides is what the schema's rules leave open about prices under
// conditions (spec section 7).
func checkOverrides(r *report, prices *configpb.Prices, at path) {
	for i, override := range prices.GetOverrides() {
		at := at.field("overrides").item(i)
		if (override.UtcStart == nil) != (override.UtcEnd == nil) {
			given, missing := "utc_start", "utc_end"
			if override.UtcStart == nil {
				given, missing = missing, given
			}
			r.fail(at, "%s is set without %s; set both or neither", given, missing)
		}
		if override.GetUtcStart()%100 > 59 {
			r.fail(at.field("utc_start"), "%04d is no time of day; write HHMM such as 2300", override.GetUtcStart())
		}
		if override.GetUtcEnd()%100 > 59 {
			r.fail(at.field("utc_end"), "%04d is no time of day; write HHMM such as 2300", override.GetUtcEnd())
		}
		if override.GetMinPromptTokens() == 0 && override.UtcStart == nil && override.UtcEnd == nil {
			r.fail(at, "has no condition, so that it always holds; set min_prompt_tokens, or utc_start and utc_end")
		}
		if len(override.GetPrices().GetOverrides()) > 0 {
			r.fail(at.field("prices").field("overrides"), "overrides have none of their own; add another to the list above")
		}
	}
}

// checkBalance warns of weights that nobody asks for.
func (l *loader) checkBalance(config *configpb.Config) {
	for id, model := range config.GetModels() {
		balance := model.GetBalance()
		if balance == configpb.Balance_BALANCE_UNSPECIFIED {
			balance = config.GetRouting().GetBalance()
		}
		if balance != configpb.Balance_BALANCE_LISTED {
			continue
		}
		for i, endpoint := range model.GetEndpoints() {
			if endpoint.Weight != nil {
				l.report.warn(path{".models"}.key(id).field("endpoints").item(i).field("weight"),
					"has no effect, because the model's endpoints are tried as listed; set balance: price")
			}
		}
	}
}

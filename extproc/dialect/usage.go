package dialect

import "github.com/switchyard/switchyard/extproc/dialect/rawjson"

// mostCounted keeps sums of what a provider claims within an int64.
const mostCounted = 1 << 40

// ReadCount reads a count of a provider's usage. What is no number leaves the count as
// it was: a later event need not repeat what an earlier one gave.
func ReadCount(into *int64, value []byte) {
	if n, ok := rawjson.Int(value); ok {
		*into = min(max(n, 0), mostCounted)
	}
}

// AppendUsage appends what an answer has cost so far to its events, with the tier in
// the provider's words, "" where it says nothing of it.
func AppendUsage(events []Event, usage Usage, tier string) []Event {
	if served := ServedTier(tier); served != "" {
		events = append(events, Event{Kind: EventTier, Text: served})
	}
	return append(events, Event{Kind: EventUsage, Usage: usage})
}

// AppendCost appends what usage costs, in US dollars, to the open object that counts
// it (spec section 4.4). It asks meta for the price.
func AppendCost(dst []byte, meta *Meta, usage Usage) []byte {
	var cost Cost
	if meta.Price != nil {
		cost = meta.Price(usage)
	}
	money := func(name, amount string) {
		if amount == "" {
			amount = "0"
		}
		dst = append(rawjson.AppendName(dst, name), amount...)
	}
	money("cost", cost.Total)
	dst = append(rawjson.AppendMember(dst, "is_byok", cost.IsBYOK()), `,"cost_details":{`...)
	money("upstream_inference_cost", cost.Inference())
	money("upstream_inference_prompt_cost", cost.Prompt)
	money("upstream_inference_completions_cost", cost.Completion)
	return append(dst, '}')
}

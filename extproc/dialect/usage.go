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

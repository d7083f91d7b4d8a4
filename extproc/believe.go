package extproc

import (
	"cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
)

const (
	// unknownContext is what a model may read and write at most, in tokens, if the
	// catalog does not say, besides what the request holds.
	unknownContext = 1 << 20
	// leeway is how much larger a context may be than the catalog has it.
	leeway = 2
	// longestContext is more than any model has, in tokens, and keeps products of it
	// within an int64.
	longestContext = 1 << 40
	// mostRounds is how often a provider may read the context in one request: each time
	// that a tool of its own has answered.
	mostRounds = 16
	// mostChoices is more answers to one request than any provider gives.
	mostChoices = 1 << 10
	// mostSearches is how often a provider may have searched in one request.
	mostSearches = 1 << 10
)

// believed is a pipe whose provider is not believed whatever it claims to have used.
type believed struct {
	dialect.Pipe
	attempt *attempt
}

func (b believed) Progress() dialect.Progress {
	progress := b.Pipe.Progress()
	progress.Usage = b.attempt.believe(progress.Usage)
	return progress
}

func (b believed) Counted() dialect.Progress {
	progress := b.Pipe.Counted()
	progress.Usage = b.attempt.believe(progress.Usage)
	return progress
}

// End has the pipe tell what it holds back, if it is one that does.
func (b believed) End(dst []byte) ([]byte, error) {
	if ender, holds := b.Pipe.(dialect.Ender); holds {
		return ender.End(dst)
	}
	return dst, nil
}

// believe is what a provider can have used of what it claims: no more than the model's
// context, which is all that it can have read or written at once, or than a request of
// many prompts holds. Money follows the provider's word and nobody checks it, so that one misplaced
// digit must not empty a budget. What is bounded is an estimate.
func (a *attempt) believe(claimed dialect.Usage) dialect.Usage {
	held := int64(len(a.request.Raw))
	context := leeway * min(cmp.Or(a.candidate.Endpoint.ContextLength, unknownContext+held), longestContext)
	most := context
	if max(claimed.Prompt, claimed.CacheRead, claimed.CacheWrite, claimed.CacheWrite1h, claimed.Completion, claimed.Reasoning) > most {
		most = max(context*a.rounds(), a.batch())
	}
	u := claimed
	bound := func(count *int64, most int64) { *count = max(0, min(*count, most)) }
	bound(&u.Prompt, most)
	bound(&u.Completion, most)
	// Some count parts beside the whole. One that cannot be true has no parts beside it.
	cached, thought := most, most
	if u.Prompt != claimed.Prompt {
		cached = u.Prompt
	}
	if u.Completion != claimed.Completion {
		thought = u.Completion
	}
	bound(&u.CacheRead, cached)
	bound(&u.CacheWrite, cached-u.CacheRead)
	bound(&u.CacheWrite1h, cached-u.CacheRead-u.CacheWrite)
	bound(&u.Reasoning, thought)
	bound(&u.WebSearches, mostSearches)
	bound(&u.SearchUnits, held) // a document has a byte at least
	bound(&u.Seconds, held)     // and so has a second of sound
	if u == claimed {
		return claimed
	}
	u.Estimated = true
	if !a.answer.doubted {
		a.answer.doubted = true
		a.Log.Warn("a provider claims more usage than can be", "request_id", a.requestID, "endpoint", a.candidate.Endpoint.ID,
			"prompt_tokens", claimed.Prompt, "completion_tokens", claimed.Completion, "most_tokens", most,
			"web_searches", claimed.WebSearches, "search_units", claimed.SearchUnits, "seconds", claimed.Seconds)
	}
	return u
}

// rounds is how often the provider may have read or written the context for this
// request. What is not text may be many prompts in one.
func (a *attempt) rounds() int64 {
	r := a.request
	rounds := min(max(1, r.Choices), mostChoices)
	if r.Tools || r.ReadsMore || r.Plugins != nil || a.candidate.WebSearch || r.OutputModality != "" {
		return max(rounds, mostRounds)
	}
	return rounds
}

// batch is what a request of many prompts may come to in tokens, each of which is a byte
// at least: nothing bounds how many contexts that is.
func (a *attempt) batch() int64 {
	if a.request.OutputModality == "" {
		return 0
	}
	return int64(len(a.request.Raw)) + a.request.Reread
}

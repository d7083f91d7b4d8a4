package extproc

import (
	"cmp"
	"slices"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/money"
	"github.com/switchyard/switchyard/policies/quota"
	"github.com/switchyard/switchyard/policies/routing"
	"github.com/switchyard/switchyard/policies/usage"
)

// estimate is the most that a request can come to, whichever candidate answers it.
type estimate struct {
	tokens int64
	money  money.USD
	// withUpstream is money with what providers bill keys of the client's own.
	withUpstream money.USD
	// Why nothing bounds tokens, money, or withUpstream; nil where something does.
	openTokens, openMoney, openUpstream *dialect.Error
	// dearest is the candidate that can cost the most of money, with its part in it, and
	// dearestUpstream that of withUpstream.
	dearest, dearestUpstream bound
}

// bound is the most that one candidate can come to.
type bound struct {
	prompt, completion     int64 // tokens
	openPrompt, openAnswer bool  // nothing bounds them, and what is here is no bound
	unseen                 bool  // part of the prompt is not in the request, or no text
	ceiling                usage.Ceiling
}

// open reports whether nothing bounds what the candidate comes to by a measure. What is
// free may be as long as it likes where money is counted.
func (b *bound) open(measure quota.Measure) bool {
	switch measure {
	case quota.Tokens:
		return b.openPrompt || b.openAnswer
	case quota.Money:
		return b.openPrompt && b.ceiling.Prompt > 0 || b.openAnswer && b.ceiling.Completion > 0
	}
	return false
}

func (b bound) cost() money.USD { return b.ceiling.Cost(b.prompt, b.completion) }

const (
	// What a provider adds to a prompt of its own: a chat template, and the words that
	// explain tools.
	templateTokens = 128
	toolTokens     = 1024
	// imageTokens is more than providers make of most images. It is no strict bound: a
	// link does not tell how large an image is.
	imageTokens = 5000
	// documentsPerSearch is what rerankers count as one search, and documentBytes the
	// least that a document takes of a request.
	documentsPerSearch, documentBytes = 100, 3
)

// estimateOf bounds what a plan can come to. One candidate answers; only where they are
// raced may all be billed.
func (a *attempt) estimateOf(plan *routing.Plan) estimate {
	var e estimate
	for i := range plan.Candidates {
		candidate := &plan.Candidates[i]
		b := a.boundOf(candidate)
		if b.open(quota.Tokens) {
			reason := a.unbounded(candidate, b)
			e.openTokens = cmp.Or(e.openTokens, reason)
			if b.open(quota.Money) {
				e.openUpstream = cmp.Or(e.openUpstream, reason)
				if a.charges(candidate) {
					e.openMoney = cmp.Or(e.openMoney, reason)
				}
			}
		}
		ours, theirs := b, b
		if candidate.OwnKey != nil {
			fee := a.ownKeyFee()
			ours.ceiling = b.ceiling.Each(fee.Of)
			theirs.ceiling = b.ceiling.Each(func(list money.USD) money.USD { return list.Add(fee.Of(list)) })
		}
		charged, billed := ours.cost(), theirs.cost()
		if i == 0 || charged > e.dearest.cost() {
			e.dearest = ours
		}
		if i == 0 || billed > e.dearestUpstream.cost() {
			e.dearestUpstream = theirs
		}
		if a.rules.hedgeAfter > 0 {
			e.tokens, e.money, e.withUpstream = e.tokens+b.prompt+b.completion, e.money.Add(charged), e.withUpstream.Add(billed)
		} else {
			e.tokens, e.money, e.withUpstream = max(e.tokens, b.prompt+b.completion), max(e.money, charged), max(e.withUpstream, billed)
		}
	}
	return e
}

// charges reports whether a candidate costs the client something, and not its own account
// alone.
func (a *attempt) charges(candidate *routing.Candidate) bool {
	return candidate.OwnKey == nil || a.ownKeyFee() > 0
}

// charged is the most that the client is charged for one candidate's answer.
func (a *attempt) charged(candidate *routing.Candidate, b bound) money.USD {
	if candidate.OwnKey != nil {
		return a.ownKeyFee().Of(b.cost())
	}
	return b.cost()
}

// boundOf bounds what one candidate can come to.
func (a *attempt) boundOf(candidate *routing.Candidate) bound {
	endpoint := candidate.Endpoint
	b := bound{unseen: a.unseen(candidate)}
	b.prompt, b.openPrompt = a.mostPrompt(candidate)
	b.completion, b.openAnswer = a.mostCompletion(candidate)
	most := usage.Tokens{Prompt: b.prompt, Images: a.request.Images}
	if a.request.OutputModality == "rerank" {
		most.SearchUnits = 1 + int64(len(a.request.Raw))/(documentsPerSearch*documentBytes)
	}
	if candidate.WebSearch {
		most.WebSearches = dialect.UsualSearches
	}
	most.WebSearches = min(max(most.WebSearches, a.request.Searches), mostSearches)
	flag := func(carries bool) int64 {
		if carries {
			return 1
		}
		return 0
	}
	// A film has both, a file may show images, and what is not seen here may be anything.
	inputs := a.request.InputModalities
	most.AudioPrompt = flag(a.request.ReadsMore || slices.Contains(inputs, "audio") || slices.Contains(inputs, "video"))
	most.ImagePrompt = flag(a.request.ReadsMore || slices.ContainsFunc(inputs, func(kind string) bool { return kind != "audio" }))
	most.AudioCompletion = flag(slices.Contains(endpoint.Model.OutputModalities, "audio"))
	most.ImageCompletion = flag(slices.Contains(endpoint.Model.OutputModalities, "image"))
	b.ceiling = usage.CeilingOf(endpoint.Prices, most, a.started)
	if usual := defaultTierOf(endpoint); usual != nil {
		other := usage.CeilingOf(usual.Prices, most, a.started)
		b.ceiling = usage.Ceiling{
			Fixed: max(b.ceiling.Fixed, other.Fixed), Prompt: max(b.ceiling.Prompt, other.Prompt), Completion: max(b.ceiling.Completion, other.Completion),
		}
	}
	return b
}

// mostPrompt is the most tokens that the prompt can be. A token is a byte at least, and
// what else is in the body makes up for what a provider's template adds. Only the data of
// images is no text: a schema, reasoning that is sent back and the messages' own braces
// are read like what they say. It is open if nothing bounds it.
func (a *attempt) mostPrompt(candidate *routing.Candidate) (most int64, open bool) {
	r := a.request
	most = int64(len(r.Raw)) + templateTokens
	if r.Tools {
		most += toolTokens
	}
	if r.OutputModality != "" {
		return most + r.Reread, false // many prompts in one request, each of which has the whole context
	}
	context := candidate.Endpoint.ContextLength
	if bound := candidate.Endpoint.MaxPromptTokens; bound > 0 && (context == 0 || bound < context) {
		context = bound
	}
	if a.unseen(candidate) {
		return max(most, context), context == 0
	}
	most += r.Images*imageTokens - r.ImageBytes
	if context > 0 {
		most = min(most, context)
	}
	return most, false
}

// unseen reports whether nobody knows how much there is to read: in a file, or of what will
// be found.
func (a *attempt) unseen(candidate *routing.Candidate) bool {
	return candidate.WebSearch || a.request.ReadsMore || slices.ContainsFunc(a.request.InputModalities, lengthy)
}

// lengthy tells the media of which nobody knows before how many tokens they are.
func lengthy(modality string) bool { return modality != "image" }

// mostCompletion is the most tokens that the answer can be. It is open if nothing bounds
// it.
func (a *attempt) mostCompletion(candidate *routing.Candidate) (most int64, open bool) {
	r := a.request
	if r.OutputModality != "" {
		return 0, false
	}
	endpoint := candidate.Endpoint
	most = cmp.Or(endpoint.MaxCompletionTokens, endpoint.ContextLength)
	if provider := a.Providers[endpoint.Provider.Dialect]; provider != nil {
		if bound := provider.Bound(r, targetOf(candidate)); bound > 0 && (most == 0 || bound < most) {
			most = bound
		}
	}
	return most * max(1, r.Choices), most == 0
}

// defaultTierOf is the endpoint of the same model at the same provider that is of no
// tier in particular, nil if the endpoint is that itself or there is none.
func defaultTierOf(endpoint *catalog.Endpoint) *catalog.Endpoint {
	if endpoint.ServiceTier == "" {
		return nil
	}
	for _, other := range endpoint.Model.Endpoints {
		if other.Provider.Slug == endpoint.Provider.Slug && other.ProviderModel == endpoint.ProviderModel && other.ServiceTier == "" {
			return other
		}
	}
	return nil
}

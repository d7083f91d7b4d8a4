package extproc

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/policies/health"
	"github.com/switchyard/switchyard/policies/quota"
	"github.com/switchyard/switchyard/policies/usage"
)

// Ledger is told what is asked of providers, and what that came to. Its methods are
// called by many goroutines at once and must not wait for a network.
type Ledger interface {
	// Note is called before a provider is asked, with the request and the one attempt
	// as it stands if nothing more is heard of it; after an error nobody is asked.
	// It is called again before the client gets the end of the answer.
	Note(*usage.Generation) error
	// Settle is called once for each request of which an attempt was noted, with all
	// its attempts, and for each that was answered out of the cache: that one asks no
	// provider, so nothing is noted of it before.
	Settle(*usage.Generation) error
}

// longestWord bounds what is kept of the client's words, in bytes.
const longestWord = 256

// accountRetry is within how many seconds the ledger tries again what its database did not
// take.
const accountRetry = "10"

// begin notes that the provider is about to be asked. What cannot be accounted for is
// not served.
func (a *attempt) begin() error {
	a.outcome.begun = true
	if a.Ledger == nil {
		return nil
	}
	g := a.generation()
	g.Estimated = true
	g.Attempts = []usage.Attempt{a.begun()}
	if err := a.Ledger.Note(g); err != nil {
		a.outcome.begun = false
		a.Log.Error("the ledger takes no requests", "request_id", a.requestID, "error", err.Error())
		return &dialect.Error{
			Status: http.StatusServiceUnavailable, Type: "provider_overloaded",
			Message:  "The gateway cannot account for requests at the moment. Try again later.",
			Metadata: map[string]any{"headers": map[string]string{"Retry-After": accountRetry}},
		}
	}
	return nil
}

// generation is what the ledger keeps of the request, without its attempts.
func (a *attempt) generation() *usage.Generation {
	h := a.headers
	return &usage.Generation{
		ID: a.generationID(), RequestID: a.requestID, Created: a.started.UTC().Truncate(time.Microsecond),
		KeyHash: a.key.Hash, KeyName: a.key.Name, Workspace: a.key.Workspace,
		API: cmp.Or(a.request.OutputModality, "completions"), Requested: word(firstAsked(a.request)), Streamed: a.request.Stream,
		Session: word(a.session), User: word(a.request.User), Preset: word(a.request.Preset),
		ResponseCacheSource: a.caching.source(),

		Referer: word(h["http-referer"]), Title: word(cmp.Or(h["x-openrouter-title"], h["x-title"])), UserAgent: word(h["user-agent"]),
	}
}

func word(text string) string { return text[:min(len(text), longestWord)] }

// begun is the attempt as it stands if the gateway is killed before its end: the
// provider has read the prompt, and nobody knows of more. Its length has to do for a count
// of its tokens: nobody is to wait for that.
func (a *attempt) begun() usage.Attempt {
	prompt := usage.Tokens{Prompt: dialect.Tokens(a.request.PromptBytes), Images: a.request.Images}
	record := a.asked()
	record.Outcome, record.Estimated = usage.Lost, true
	record.Tokens, record.Charge = prompt, a.charge(a.candidate.Endpoint, prompt)
	return record
}

// asked is what is known of an attempt before its provider has said anything.
func (a *attempt) asked() usage.Attempt {
	endpoint := a.candidate.Endpoint
	asked := usage.Attempt{
		Number: a.number, Endpoint: endpoint.ID, Model: a.candidate.Model.ID,
		Provider: endpoint.Provider.Slug, ProviderName: endpoint.Provider.Name,
		ServiceTier: endpoint.ServiceTier, Prices: endpoint.PriceVersion,
	}
	if own := a.candidate.OwnKey; own != nil {
		asked.OwnKey = own.ID
	}
	return asked
}

// account adds the attempt, which is over, to the request's record, once.
func (a *attempt) account(label string) {
	if !a.outcome.begun || a.outcome.accounted {
		return
	}
	record, finish, native := a.entry(label)
	a.shared.account(a.generation, record, finish, native)
	a.outcome.accounted = true
}

// noteAnswer notes the attempt as it will be when the client has the whole answer,
// which is about to go out: whatever happens from then on, it is not an estimate.
func (a *attempt) noteAnswer() {
	a.settleBeforeEnd(a.used())
	if a.Ledger == nil {
		return
	}
	record, finish, native := a.entry("ok")
	g := a.generation()
	g.Attempts, g.Estimated = []usage.Attempt{record}, record.Estimated
	g.FinishReason, g.NativeFinishReason = finish, native
	if err := a.Ledger.Note(g); err != nil { // it is told again when the attempt is over
		a.Log.Warn("the end of an answer is not noted in the ledger's journal", "request_id", a.requestID, "error", err.Error())
	}
}

// entry is what the ledger keeps of the attempt, and why the answer ended.
func (a *attempt) entry(label string) (record usage.Attempt, finish, native string) {
	record = a.asked()
	record.Status, record.Outcome, record.Duration = a.answer.status, label, usage.MicrosOf(time.Since(a.sent))
	record.Latency = usage.MicrosOf(a.answer.first)
	if f := a.outcome.failure; f != nil {
		record.Reason = f.class.String()
	}
	if a.answer.pipe != nil {
		progress := a.answer.pipe.Progress()
		record.UpstreamID = word(progress.UpstreamID)
		record.ServiceTier = cmp.Or(progress.ServiceTier, record.ServiceTier)
		finish, native = progress.FinishReason, word(progress.NativeFinishReason)
	}
	if used, billed := a.usage(); billed {
		record.Tokens, record.Charge, record.Estimated = tokens(used), a.outcome.charge, used.Estimated
		record.Tokens.Images = a.request.Images
		if a.answer.pipe != nil {
			record.Prices = a.billed().PriceVersion
		}
	}
	return record, finish, native
}

// account adds an attempt to the record of the request, which is made at the first.
// The finish reason is that of the attempt whose answer the client got.
func (q *request) account(generation func() *usage.Generation, record usage.Attempt, finish, native string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.generation == nil {
		q.generation = generation()
	}
	g := q.generation
	g.Attempts = append(g.Attempts, record)
	g.Estimated = g.Estimated || record.Estimated
	if record.Outcome == "ok" || g.FinishReason == "" {
		g.FinishReason, g.NativeFinishReason = finish, native
	}
}

// discharge takes back what was charged for an attempt whose connection turned out to
// have been lost. The caller holds the lock.
func (q *request) discharge(number int) {
	g := q.generation
	if g == nil {
		return
	}
	for i := range g.Attempts {
		if a := &g.Attempts[i]; a.Number == number {
			a.Tokens, a.Charge, a.Estimated, a.Reason = usage.Tokens{}, usage.Charge{}, false, health.Connect.String()
		}
	}
	g.Estimated = slices.ContainsFunc(g.Attempts, func(a usage.Attempt) bool { return a.Estimated })
}

// settleRequest tells the ledger what a request came to, whose last attempt is over,
// and then the limits: what they have lost they ask the ledger for.
func (s *Server) settleRequest(q *request, ended string) {
	defer q.settleLimits(context.Background(), quota.Actual{})
	if s.Ledger == nil {
		return
	}
	q.mu.Lock()
	g, content := q.generation, q.content
	q.mu.Unlock()
	if g == nil {
		return // nobody was asked
	}
	g.Content = content
	g.Cancelled = ended == outcomeCancelled
	slices.SortFunc(g.Attempts, func(a, b usage.Attempt) int { return a.Number - b.Number })
	if err := s.Ledger.Settle(g); err != nil {
		s.Log.Error("a generation is lost to the ledger", "generation_id", g.ID, "cost", g.Cost().String(), "error", err.Error())
	}
}

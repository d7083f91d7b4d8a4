package extproc

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/policies/health"
	"github.com/switchyard/switchyard/policies/quota"
	"github.com/switchyard/switchyard/policies/routing"
)

// checkLimits turns away what a limit refuses already, before any of the body is read.
// Retries and hedges are the gateway's doing: only the first attempt counts.
func (a *attempt) checkLimits() error {
	if a.number != 1 {
		return nil
	}
	if denial := a.Limits.Refused(a.limitsOf(""), a.began); denial != nil {
		return a.overLimit(denial, estimate{})
	}
	return nil
}

// limitsOf are the limits that hold for the request, of an end user if it names one.
func (a *attempt) limitsOf(user string) []quota.Limit {
	limits := a.policy.Limits.Request(a.key, user)
	budgets := a.policy.GuardOf(a.key).Budgets
	for i := range budgets {
		limits = append(limits, quota.Guardrail(budgets[i].Guardrail, a.key, budgets[i].Member, &budgets[i].Limits)...)
	}
	return limits
}

// reserve reserves the most that the request can come to, before any provider is asked.
// It runs once for each request, under its plan. What was seen first by another replica,
// or before a restart, is reserved anew: nobody else settles what comes of it here. It is
// the same request all the same, and under way already.
func (a *attempt) reserve(plan *routing.Plan) error {
	if a.shared.firstSeen() != 1 {
		return a.reserveOf(a.limitsOn(quota.Tokens, quota.Money), a.estimateOf(plan))
	}
	limits := a.limitsOf(word(a.request.User))
	var free []quota.Limit
	if slices.ContainsFunc(plan.Candidates, isFree) {
		free = a.policy.Limits.Free(a.key)
	}
	if len(limits)+len(free) == 0 {
		return nil
	}
	most := a.estimateOf(plan)
	denial, err := a.reserveAll(slices.Concat(limits, free), most)
	if denial != nil && kindOf(denial) == quota.KindFree {
		// The limit is not on the other models that the client would take.
		if paid := slices.DeleteFunc(slices.Clone(plan.Candidates), isFree); len(paid) > 0 {
			plan.Candidates = paid
			most = a.estimateOf(plan)
			denial, err = a.reserveAll(limits, most)
		}
	}
	if denial != nil {
		return a.overLimit(denial, most)
	}
	return err
}

// reserveRequest reserves one request of the limits that count them: one that the cache
// answers takes nothing else.
func (a *attempt) reserveRequest() error {
	return a.reserveOf(a.limitsOn(quota.Requests), estimate{})
}

// limitsOn are the request's limits on some measures.
func (a *attempt) limitsOn(measures ...quota.Measure) []quota.Limit {
	return slices.DeleteFunc(a.limitsOf(word(a.request.User)), func(limit quota.Limit) bool {
		return !slices.Contains(measures, limit.Measure)
	})
}

// reserveOf reserves so much of limits, of all of them or of none.
func (a *attempt) reserveOf(limits []quota.Limit, most estimate) error {
	denial, err := a.reserveAll(limits, most)
	if denial != nil {
		return a.overLimit(denial, most)
	}
	return err
}

// isFree reports whether a candidate is a model's variant for free.
func isFree(c routing.Candidate) bool { return strings.HasSuffix(c.Model.ID, ":free") }

// reserveAll reserves what a request can come to of all limits, or nothing and explains
// why.
func (a *attempt) reserveAll(limits []quota.Limit, most estimate) (*quota.Denial, error) {
	if len(limits) == 0 {
		return nil, nil
	}
	claims, err := a.claims(limits, most)
	if err != nil {
		return nil, err
	}
	reservation, denial := a.Limits.Reserve(a.stream.Context(), claims, time.Now())
	if denial == nil {
		a.shared.reserved(reservation)
	}
	return denial, nil
}

// claims are what the request asks of its limits.
func (a *attempt) claims(limits []quota.Limit, most estimate) ([]quota.Claim, error) {
	claims := make([]quota.Claim, 0, len(limits))
	for _, limit := range limits {
		amount := int64(1)
		switch limit.Measure {
		case quota.Tokens:
			if most.openTokens != nil {
				return nil, most.openTokens
			}
			amount = most.tokens
		case quota.Money:
			sum, open := most.money, most.openMoney
			if limit.IncludeBYOK {
				sum, open = most.withUpstream, most.openUpstream
			}
			if open != nil {
				return nil, open
			}
			amount = quota.Nanodollars(sum)
		}
		claims = append(claims, quota.NewClaim(limit, amount))
	}
	return claims, nil
}

// unbounded refuses what could use up any limit, at a candidate with such a bound.
func (a *attempt) unbounded(candidate *routing.Candidate, b bound) *dialect.Error {
	told := &dialect.Error{Status: http.StatusBadRequest, Type: "invalid_request"}
	if b.openAnswer {
		told.Message = fmt.Sprintf("Nothing bounds the answer of %s, and there is a limit on what it may use. Set max_tokens, or have the endpoint's max_completion_tokens or context_length configured.",
			candidate.Endpoint.ID)
		return told
	}
	what := "what its tools find and its caches hold"
	if at := slices.IndexFunc(a.request.InputModalities, lengthy); at >= 0 {
		what = "the request's input of kind " + a.request.InputModalities[at]
	}
	told.Message = fmt.Sprintf("Nothing bounds what %s reads of %s, and there is a limit on what it may use. Leave that out, or have the endpoint's context_length configured.",
		candidate.Endpoint.ID, what)
	return told
}

// reserveMore makes up for what a failed attempt was billed, before the next one is
// made: what was reserved covers one answer.
func (a *attempt) reserveMore() error {
	if a.rules.hedgeAfter > 0 {
		return nil // hedges are covered
	}
	more := a.shared.cover()
	if more == (quota.Actual{}) {
		return nil
	}
	return a.reserveOf(a.limitsOn(quota.Tokens, quota.Money), estimate{tokens: more.Tokens, money: more.Money, withUpstream: more.Money.Add(more.Upstream)})
}

// reserveAttempt reserves what an attempt at a candidate can come to of the limits that
// its model and, with the gateway's key, its provider have. The denial is nil if it may be made.
func (a *attempt) reserveAttempt(candidate *routing.Candidate) *quota.Denial {
	ofModel, ofProvider := a.policy.Limits.Attempt(candidate.Model.ID, candidate.Endpoint.Provider.Slug)
	if candidate.OwnKey != nil {
		ofProvider = nil // that is the gateway's own account there
	}
	if len(ofModel)+len(ofProvider) == 0 {
		return nil
	}
	b := a.boundOf(candidate)
	claims := make([]quota.Claim, 0, len(ofModel)+len(ofProvider))
	for _, limits := range [][]quota.Limit{ofModel, ofProvider} {
		for _, limit := range limits {
			amount := int64(1)
			switch limit.Measure {
			case quota.Tokens:
				amount = b.prompt + b.completion
			case quota.Money:
				amount = quota.Nanodollars(a.charged(candidate, b))
			}
			if b.open(limit.Measure) && (limit.Measure != quota.Money || a.charges(candidate)) {
				amount = limit.Most // by itself, or not at all
			}
			claims = append(claims, quota.NewClaim(limit, amount))
		}
	}
	var denial *quota.Denial
	a.capacity, denial = a.Limits.Reserve(a.stream.Context(), claims, time.Now())
	return denial
}

// full is a candidate that is passed over because of its model's or its provider's
// limits, for the client's error.
func (a *attempt) full(candidate *routing.Candidate, denial *quota.Denial) *failure {
	if denial.Unknown {
		return &failure{class: health.ServerError, status: http.StatusServiceUnavailable, message: "The gateway cannot tell at the moment whether a limit holds.", retryAfter: denial.RetryAfter}
	}
	name := "The provider"
	if kindOf(denial) == quota.KindModel {
		name = candidate.Model.ID
	}
	message := fmt.Sprintf("%s is at its limit of %s.", name, boundText(&denial.Claim.Limit))
	if b := a.boundOf(candidate); b.open(denial.Claim.Measure) { // it would have taken all of the limit
		message += " " + a.unbounded(candidate, b).Message
	}
	return &failure{
		class: health.RateLimited, status: http.StatusTooManyRequests, retryAfter: denial.RetryAfter, unasked: true,
		message: message,
	}
}

// freeAfter is how long a request without an attempt keeps its place among those under
// way: Envoy starts the next attempt within milliseconds, if there is to be one.
const freeAfter = time.Second

// settleAttempt ends what the attempt reserved of its model's and its provider's limits.
func (a *attempt) settleAttempt(actual quota.Actual) {
	a.capacity.Settle(a.stream.Context(), actual, time.Now())
}

// settleBeforeEnd settles limits before the client has the end of its answer: its next
// request must not find this one under way.
func (a *attempt) settleBeforeEnd(actual quota.Actual) {
	a.settleAttempt(actual)
	if a.shared.only() { // what others come to is not known yet
		a.shared.settleLimits(a.stream.Context(), actual)
	}
}

// firstSeen is the lowest number of an attempt that this process saw.
func (q *request) firstSeen() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.first
}

// reserved notes what is to be settled when the request is over.
func (q *request) reserved(reservation *quota.Reservation) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.reservations = append(q.reservations, reservation)
}

// spent is what the attempts come to that are over.
func (q *request) spent() quota.Actual {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.sum()
}

// cover is what the attempts come to that are over, and that no earlier call has told of:
// it is reserved now, or the request is refused.
func (q *request) cover() quota.Actual {
	q.mu.Lock()
	defer q.mu.Unlock()
	spent, before := q.sum(), q.covered
	q.covered = spent
	return quota.Actual{Tokens: spent.Tokens - before.Tokens, Money: spent.Money.Add(-before.Money), Upstream: spent.Upstream.Add(-before.Upstream)}
}

// sum is spent for who holds mu.
func (q *request) sum() quota.Actual {
	var sum quota.Actual
	if q.generation == nil {
		return sum
	}
	for i := range q.generation.Attempts {
		record := &q.generation.Attempts[i]
		sum.Tokens += record.Tokens.Prompt + record.Tokens.Completion
		sum.Money = sum.Money.Add(record.Charge.Total)
		sum.Upstream = sum.Upstream.Add(record.Charge.Upstream)
	}
	return sum
}

// settleLimits ends what the request has reserved: with what all attempts came to that
// are over, and more if another is about to be.
func (q *request) settleLimits(ctx context.Context, more quota.Actual) {
	actual := q.spent()
	actual = actual.Add(more)
	q.mu.Lock()
	reservations := q.reservations
	q.mu.Unlock()
	for _, reservation := range reservations {
		reservation.Settle(ctx, actual, time.Now())
		actual = quota.Actual{} // counted once
	}
}

// freeLater gives up the request's place among those under way, and what it keeps in
// memory, unless another attempt follows soon.
func (q *request) freeLater() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.inFlight > 0 || len(q.reservations) == 0 && !q.keeps() {
		return
	}
	time.AfterFunc(freeAfter, func() {
		q.mu.Lock()
		idle, reservations := q.inFlight == 0, q.reservations
		if idle {
			q.drop()
		}
		q.mu.Unlock()
		if !idle {
			return
		}
		for _, reservation := range reservations {
			reservation.Release(context.Background(), time.Now())
		}
	})
}

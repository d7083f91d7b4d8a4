package extproc

import (
	"time"

	"github.com/switchyard/switchyard/policies/routing"
	"github.com/switchyard/switchyard/policies/sticky"
)

// stickyKey is the name under which the conversation's place is kept.
func (a *attempt) stickyKey() sticky.Key {
	if a.session != "" {
		return sticky.SessionKey(a.key.Hash, firstAsked(a.request), a.session)
	}
	return sticky.ConversationKey(a.key.Hash, firstAsked(a.request), a.request.Conversation)
}

// pin is where the conversation went before, nil if nowhere (spec section 4.7).
func (a *attempt) pin() *routing.Pin {
	if a.policy.StickyFor == 0 {
		return nil
	}
	pin, ok := a.Sticky.Get(a.stream.Context(), a.stickyKey(), a.began)
	if !ok {
		return nil
	}
	return &routing.Pin{
		Model: pin.Model, EndpointID: pin.EndpointID, Provider: pin.Provider,
		Session: a.session != "", Bound: a.request.BoundReasoning,
	}
}

// stay ties the conversation to the endpoint that has just answered: if the
// client names the session, if the endpoint has cached the prompt, or if the
// answer holds reasoning that only this provider can read. A failed attempt
// changes nothing. It may wait for Redis, as nobody waits for it.
func (a *attempt) stay() {
	if a.policy.StickyFor == 0 || a.outcome.failure != nil || a.answer.first == 0 {
		return
	}
	progress := a.answer.pipe.Progress()
	cached := progress.Usage.CacheRead+progress.Usage.CacheWrite+progress.Usage.CacheWrite1h > 0
	if a.session == "" && !cached && !progress.BoundReasoning && !a.plan.Pinned {
		return
	}
	a.Sticky.Put(a.stream.Context(), a.stickyKey(), sticky.Pin{
		Model: a.candidate.Model.ID, EndpointID: a.candidate.Endpoint.ID, Provider: a.candidate.Endpoint.Provider.Slug,
		Bound: progress.BoundReasoning,
	}, a.policy.StickyFor, time.Now())
}

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
	return a.loopKey()
}

// loopKey is the name under which the provider of a tool loop is kept. Several
// conversations can share a session, and each has loops of its own.
func (a *attempt) loopKey() sticky.Key {
	return sticky.ConversationKey(a.key.Hash, firstAsked(a.request), a.request.Conversation)
}

// pin is where the conversation went before, nil if nowhere (spec section 4.7).
func (a *attempt) pin(now time.Time) *routing.Pin {
	if a.policy.StickyFor == 0 {
		return nil
	}
	if a.request.BoundReasoning {
		if pin, ok := a.Sticky.Get(a.stream.Context(), a.loopKey(), now); ok && pin.Bound {
			return a.pinTo(pin, true)
		}
	}
	if pin, ok := a.Sticky.Get(a.stream.Context(), a.stickyKey(), now); ok {
		return a.pinTo(pin, false)
	}
	return nil
}

func (a *attempt) pinTo(pin sticky.Pin, bound bool) *routing.Pin {
	return &routing.Pin{Model: pin.Model, EndpointID: pin.EndpointID, Provider: pin.Provider, Session: a.session != "", Bound: bound}
}

// stay ties the conversation to the endpoint that has just answered: if the
// client names the session, if the endpoint has cached the prompt, or if the
// answer holds reasoning that only this provider can read. A failed attempt
// changes nothing. It runs once for each attempt, behind the last event: the client
// may come back as soon as it has that.
func (a *attempt) stay() {
	if a.outcome.stayed || a.policy.StickyFor == 0 || a.outcome.failure != nil || a.answer.first == 0 {
		return
	}
	a.outcome.stayed = true
	progress := a.answer.pipe.Progress()
	cached := progress.Usage.CacheRead+progress.Usage.CacheWrite+progress.Usage.CacheWrite1h > 0
	if a.session != "" || cached || progress.BoundReasoning || a.plan.Pinned {
		a.tie(progress.BoundReasoning)
	}
}

// tie notes the candidate's endpoint as the conversation's place.
func (a *attempt) tie(bound bool) {
	pin := sticky.Pin{
		Model: a.candidate.Model.ID, EndpointID: a.candidate.Endpoint.ID, Provider: a.candidate.Endpoint.Provider.Slug,
		Bound: bound,
	}
	a.Sticky.Put(a.stream.Context(), a.stickyKey(), pin, a.policy.StickyFor, time.Now())
	if bound && a.session != "" {
		a.Sticky.Put(a.stream.Context(), a.loopKey(), pin, a.policy.StickyFor, time.Now())
	}
}

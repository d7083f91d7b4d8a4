package extproc

import (
	"github.com/switchyard/switchyard/extproc/dialect"
)

// adapt says the request in words that the candidate's model understands, where it would
// refuse the client's. The client's own dialect rewrites it, so that what follows is as
// if the client had written so itself.
func (a *attempt) adapt() error {
	a.toKeep = a.request
	if err := a.textOfFiles(); err != nil {
		return err
	}
	efforter, ok := a.client.(dialect.Efforter)
	thinking := a.candidate.Model.Reasoning
	if !ok || thinking == nil || a.request.Effort == "" {
		return nil
	}
	effort := dialect.SupportedEffort(a.request.Effort, thinking.SupportedEfforts, thinking.Mandatory)
	if effort == a.request.Effort {
		return nil
	}
	return a.rewrite(efforter.WithEffort(a.request.Raw, effort))
}

// rewrite takes a body in the place of the client's, for this attempt alone. The
// conversation stays the one that it is by the client's own words: it is found again by
// them (spec section 4.7).
func (a *attempt) rewrite(body []byte) error {
	request, err := a.client.Parse(body)
	if err != nil {
		return err
	}
	request.Conversation = a.request.Conversation
	a.request = request
	return nil
}

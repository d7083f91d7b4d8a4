package extproc

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/policies/guard"
	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/routing"
)

// Guard is the guardrails that hold for some keys. It is immutable.
type Guard struct {
	// Rules are what is looked for in requests and answers, those of all guardrails
	// together.
	Rules *guard.Guardrail
	// Constraints are what the guardrails say of endpoints. All of them hold.
	Constraints []*routing.Constraints
	// Budgets are those that the guardrails give each key. Each of them holds, beside the
	// key's own.
	Budgets []GuardBudget
}

// GuardBudget is the budget that a guardrail gives each of its keys, or a member with all
// their keys.
type GuardBudget struct {
	// Guardrail is its name or id, Member the id of the member, "" for the key.
	Guardrail, Member string
	// Managed: the guardrail is of the database, and changed over the API.
	Managed bool
	identity.Limits
}

var noGuard = Guard{Rules: &guard.Guardrail{}}

// The directions in metrics and in the log.
const (
	directionInput  = "input"
	directionOutput = "output"
)

// guardRequest looks through the texts of the request for what must not reach a provider,
// before one is chosen. What is redacted is so for every provider, whatever it speaks.
func (a *attempt) guardRequest() error {
	rules := a.policy.GuardOf(a.key).Rules.Input
	if len(rules) == 0 {
		return nil
	}
	raw := a.request.Raw
	meter := a.newInputSearch(a.stream.Context(), len(raw))
	meter.begin()
	body, err := meter.edit(raw, func(most int) ([]byte, error) {
		return dialect.EditPrompt(a.client, raw, most, func(role dialect.Role, text []byte) []byte {
			speaker := guard.Other
			if role == dialect.RoleUser {
				speaker = guard.User
			}
			return guard.Scan(meter, rules, speaker, text, &a.guarded)
		})
	})
	meter.end()
	if err != nil {
		return a.unsearched(err)
	}
	if a.number == 1 { // later attempts find the same
		a.noteFound(a.guarded, directionInput)
	}
	if err := a.refuseBlocked(); err != nil {
		return err
	}
	if len(body) > 0 && &body[0] == &raw[0] {
		return nil
	}
	if a.request, err = a.client.Parse(body); err != nil {
		return err
	}
	return surveyFiles(a.client, a.request)
}

// unsearched says why the search of a request has not come to its end.
func (a *attempt) unsearched(err error) error {
	switch {
	case errors.Is(err, errSearchLong):
		return dialect.Invalid("The request is too long to be searched: what a guardrail looks for was not ruled out within %v.", longestSearch)
	case errors.Is(err, errSearchLate):
		return searchLate()
	case errors.Is(err, errSearchGrown):
		return &dialect.Error{
			Status: http.StatusRequestEntityTooLarge, Type: "payload_too_large",
			Message: fmt.Sprintf("The request is larger than %d bytes with the labels of guardrails in the place of what they redact. Send less, or make the labels shorter.", a.policy.MaxRequestBytes),
		}
	}
	return err
}

// searchLate tells the client that others' searches have taken all the time.
func searchLate() *dialect.Error {
	return &dialect.Error{
		Status: http.StatusServiceUnavailable, Type: "provider_overloaded",
		Message:      "The gateway has more to search for its guardrails than it comes to. Try again in a moment.",
		Availability: &dialect.Availability{Code: "temporarily_unavailable", Retryable: true, RetryAfter: seconds(longestSearch)},
	}
}

// guardFile is guardRequest for the text of a file, which is the user's.
func (a *attempt) guardFile(meter *searchMeter, text string, found *guard.Findings) (string, error) {
	rules := a.policy.GuardOf(a.key).Rules.Input
	if len(rules) == 0 {
		return text, nil
	}
	meter.begin()
	defer meter.end()
	return string(guard.Scan(meter, rules, guard.User, []byte(text), found)), meter.err
}

// refuseBlocked is the error of a request in which a rule that blocks has found something.
func (a *attempt) refuseBlocked() error {
	blocked := a.guarded.Blocked()
	if blocked == nil {
		return nil
	}
	told := refusal(blocked)
	told.RouterMetadata = a.guardedMetadata()
	return told
}

// noteFound counts and logs what was found, and never what it was.
func (a *attempt) noteFound(found guard.Findings, direction string) {
	for i := range found {
		f := &found[i]
		label := f.Guardrail
		if f.Managed { // there is no end of their ids
			label = "managed"
		}
		a.metrics.guarded.WithLabelValues(label, f.Action.String(), direction).Add(float64(f.Count))
		a.Log.Info("a guardrail found something", "request_id", a.requestID, "attempt", a.number, "key", a.key.Name,
			"guardrail", f.Guardrail, "rule", f.Title, "patterns", f.Patterns, "action", f.Action.String(), "count", f.Count, "direction", direction)
	}
}

// refusal is what a client is told of what a rule has found (spec sections 5.4 and 5.6).
func refusal(blocked *guard.Finding) *dialect.Error {
	told := &dialect.Error{Status: http.StatusForbidden, Type: "permission_denied", Metadata: map[string]any{"reasons": []string{blocked.Title}}}
	if blocked.Injection() {
		told.Message = "Request blocked: prompt injection patterns detected"
		told.Metadata["patterns"] = blocked.Patterns
		return told
	}
	told.Message = "Request blocked by content filter: " + blocked.Title
	return told
}

// foundData is what the metadata says of what a rule has found.
type foundData struct {
	Action   string   `json:"action"`
	Count    int      `json:"count"`
	Patterns []string `json:"patterns,omitempty"`
}

// guardStages are what was found, for the metadata.
func guardStages(found guard.Findings) []pipelineStage {
	var stages []pipelineStage
	for i := range found {
		f := &found[i]
		stages = append(stages, pipelineStage{
			Type: "guardrail", Name: f.Title, GuardrailID: f.Guardrail,
			Summary: fmt.Sprintf("%s: %s (%d)", f.Title, f.Action, f.Count),
			Data:    foundData{f.Action.String(), f.Count, f.Patterns},
		})
	}
	return stages
}

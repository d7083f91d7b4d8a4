package extproc

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/policies/routing"
)

// routerMetadata is `openrouter_metadata` (spec section 4.13), for clients that ask
// for it by the header X-OpenRouter-Metadata. Plan is the gateway's own addition:
// who else would have been asked, and who not and why.
type routerMetadata struct {
	Requested string            `json:"requested"`
	Strategy  string            `json:"strategy"`
	Region    *string           `json:"region"` // of OpenRouter's own network; there is none
	Summary   string            `json:"summary"`
	Attempt   int               `json:"attempt"`
	IsBYOK    bool              `json:"is_byok"`
	Endpoints metadataEndpoints `json:"endpoints"`
	Attempts  []metadataAttempt `json:"attempts"`
	Plan      metadataPlan      `json:"plan"`
	// DroppedFields are those of the request that the provider did not get, as it has
	// no words for them. It is the gateway's own too.
	DroppedFields []string `json:"dropped_fields"`
	// Pipeline is what guardrails found in the request, and what plugins did to it and to
	// its answer.
	Pipeline []pipelineStage `json:"pipeline,omitempty"`
}

// pipelineStage is what one guardrail found, or one plugin did.
type pipelineStage struct {
	// Type is "guardrail", "context_compression" or "response_healing", Name that of the
	// rule or of the plugin.
	Type        string `json:"type"`
	Name        string `json:"name"`
	GuardrailID string `json:"guardrail_id,omitempty"`
	// Summary is for people, Data for programs.
	Summary string `json:"summary"`
	Data    any    `json:"data"`
}

type metadataEndpoints struct {
	Total     int                 `json:"total"`
	Available []metadataCandidate `json:"available"`
}

type metadataCandidate struct {
	Provider string `json:"provider"`
	Model    string `json:"model"`
	Selected bool   `json:"selected"`
}

type metadataAttempt struct {
	Provider string `json:"provider"`
	Model    string `json:"model"`
	Status   int    `json:"status"`
}

type metadataPlan struct {
	Candidates []plannedCandidate `json:"candidates"`
	Dropped    []droppedEndpoint  `json:"dropped"`
	Funnel     []routing.Stage    `json:"funnel"`
}

type plannedCandidate struct {
	Endpoint string `json:"endpoint"`
	Reason   string `json:"reason"`
}

type droppedEndpoint struct {
	Endpoint string `json:"endpoint"`
	Step     string `json:"step"`
	Reason   string `json:"reason"`
}

// wantsMetadata tells whether the client asked for the plan (rows 113 and 114).
func (a *attempt) wantsMetadata() bool {
	asked := cmp.Or(a.headers["x-openrouter-metadata"], a.headers["x-openrouter-experimental-metadata"])
	return strings.EqualFold(asked, "enabled")
}

// routerMetadata is nil if the client did not ask for it, or if there is no plan.
func (a *attempt) routerMetadata() jsontext.Value {
	if !a.wantsMetadata() || len(a.plan.Candidates) == 0 {
		return nil
	}
	told := routerMetadata{
		Requested: a.plan.Requested, Strategy: a.plan.Strategy, Attempt: a.number, IsBYOK: a.candidate.OwnKey != nil,
		Endpoints: metadataEndpoints{Total: len(a.plan.Candidates) + len(a.plan.Dropped)},
		Attempts:  []metadataAttempt{},
		Plan:      planOf(a.plan.Candidates, a.plan.Dropped, a.plan.Funnel),

		DroppedFields: a.unsaid, Pipeline: append(guardStages(a.guarded), a.pipeline...),
	}
	for _, candidate := range a.plan.Candidates {
		told.Endpoints.Available = append(told.Endpoints.Available, metadataCandidate{
			Provider: candidate.Endpoint.Provider.Name, Model: candidate.Model.ID,
			Selected: candidate.Endpoint == a.candidate.Endpoint,
		})
	}
	told.Summary = fmt.Sprintf("available=%d", len(a.plan.Candidates))
	for _, failed := range a.shared.failures() {
		told.Attempts = append(told.Attempts, metadataAttempt{Provider: failed.Provider, Model: failed.Model, Status: failed.Code})
	}
	if a.outcome.failure == nil && a.candidate.Endpoint != nil {
		told.Attempts = append(told.Attempts, metadataAttempt{
			Provider: a.candidate.Endpoint.Provider.Name, Model: a.candidate.Model.ID, Status: http.StatusOK,
		})
	}
	return marshalMetadata(told)
}

// withMetadata adds the plan to an error that a provider caused.
func (a *attempt) withMetadata(told *dialect.Error) *dialect.Error {
	told.RouterMetadata = a.routerMetadata()
	return told
}

// refusedMetadata says of a request that nobody could serve why.
func (a *attempt) refusedMetadata(none *routing.NoEndpointError) jsontext.Value {
	if !a.wantsMetadata() {
		return nil
	}
	return marshalMetadata(routerMetadata{
		Requested: firstAsked(a.request), Strategy: "direct", Attempt: a.number, Summary: "available=0",
		Endpoints: metadataEndpoints{Total: len(none.Dropped), Available: []metadataCandidate{}},
		Attempts:  []metadataAttempt{},
		Pipeline:  guardStages(a.guarded),
		Plan:      planOf(nil, none.Dropped, none.Funnel),
	})
}

// guardedMetadata says of a request that a guardrail refused which one did.
func (a *attempt) guardedMetadata() jsontext.Value {
	if !a.wantsMetadata() {
		return nil
	}
	return marshalMetadata(routerMetadata{
		Requested: firstAsked(a.request), Strategy: "direct", Attempt: a.number, Summary: "available=0",
		Endpoints: metadataEndpoints{Available: []metadataCandidate{}},
		Attempts:  []metadataAttempt{},
		Pipeline:  guardStages(a.guarded),
		Plan:      planOf(nil, nil, nil),
	})
}

func planOf(candidates []routing.Candidate, dropped []routing.Dropped, funnel []routing.Stage) metadataPlan {
	plan := metadataPlan{
		Candidates: make([]plannedCandidate, 0, len(candidates)),
		Dropped:    make([]droppedEndpoint, 0, len(dropped)),
		Funnel:     funnel,
	}
	for _, c := range candidates {
		plan.Candidates = append(plan.Candidates, plannedCandidate{c.Endpoint.ID, c.Reason.String()})
	}
	for _, d := range dropped {
		plan.Dropped = append(plan.Dropped, droppedEndpoint{d.Endpoint.ID, d.Step, d.Reason.String()})
	}
	return plan
}

func marshalMetadata(told routerMetadata) jsontext.Value {
	value, err := json.Marshal(told)
	if err != nil {
		return nil // strings and numbers always marshal
	}
	return value
}

package extproc

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"time"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/routing"
)

// parse reads the client's request.
func (a *attempt) parse(body []byte) error {
	var err error
	if a.request, err = Parse(a.client, body, a.preset); err != nil {
		return err
	}
	if a.session, err = a.sessionID(); err != nil {
		return err
	}
	a.rules = a.policy.rulesFor(firstAsked(a.request))
	return nil
}

// preset finds a preset once for all attempts at the request.
func (a *attempt) preset(slug string) (dialect.Preset, bool) {
	a.merged = a.shared.preset(slug, func() (dialect.Preset, bool) { return a.Preset(a.key, slug) })
	if a.merged == nil {
		return dialect.Preset{}, false
	}
	return *a.merged, true
}

func firstAsked(request *dialect.Request) string {
	if request.Model == "" && len(request.Models) > 0 {
		return request.Models[0]
	}
	return request.Model
}

// Parse reads a request. If it asks for a preset, that is merged in before anything
// else is read (spec section 3.6). The error is an [*dialect.Error].
func Parse(client dialect.Client, body []byte, preset func(slug string) (dialect.Preset, bool)) (*dialect.Request, error) {
	request, err := parseWith(client, body, preset)
	if err != nil {
		return nil, err
	}
	return request, surveyFiles(client, request)
}

func parseWith(client dialect.Client, body []byte, preset func(slug string) (dialect.Preset, bool)) (*dialect.Request, error) {
	presetter, ok := client.(dialect.Presetter)
	if !ok {
		return client.Parse(body)
	}
	slug, _ := dialect.PresetOf(body)
	if namer, ok := client.(dialect.PresetNamer); ok {
		slug = cmp.Or(namer.Preset(), slug)
	}
	if slug == "" {
		return client.Parse(body)
	}
	found, ok := preset(slug)
	if !ok {
		return nil, &dialect.Error{Status: 404, Type: "not_found", Message: fmt.Sprintf("Preset %q not found.", slug)}
	}
	body, err := presetter.WithPreset(body, found)
	if err != nil {
		return nil, err
	}
	return client.Parse(body)
}

// sessionID is what the client calls its session; the body wins over the header
// (spec rows 108 and 109).
func (a *attempt) sessionID() (string, error) {
	session := cmp.Or(a.request.SessionID, a.headers["x-session-id"])
	return session, dialect.CheckName("x-session-id", session)
}

// Asked is a request that is to be planned.
type Asked struct {
	Request *dialect.Request
	Key     *identity.Key
	// Pin is where the conversation went before, nil if nowhere.
	Pin *routing.Pin
	// Seed decides what is left to chance.
	Seed uint64
	Now  time.Time
}

// Constraints are what every request with a key has to respect.
func (p *Policy) Constraints(key *identity.Key) []*routing.Constraints {
	return []*routing.Constraints{p.Gateway, p.KeyConstraints[key.Hash]}
}

// GuardOf are the guardrails that hold for a key. They may be none, and are never nil.
func (p *Policy) GuardOf(key *identity.Key) *Guard {
	if guard, ok := p.Guards[key.Hash]; ok {
		return guard
	}
	if p.Guard != nil {
		return p.Guard
	}
	return &noGuard
}

// Plan plans a request. It reads nothing but its arguments.
func (p *Policy) Plan(asked Asked, view routing.View) (routing.Plan, error) {
	request := asked.Request
	preferences, err := routing.ParsePreferences(request.Provider, request.Plugins, request.Transforms, request.Route)
	if err != nil {
		return routing.Plan{}, err
	}
	return p.build(asked, preferences, view, p.rulesFor(firstAsked(request)).maxAttempts)
}

// admits finds the candidate of a request at an endpoint, false if no plan could have it,
// however many candidates it had. What a plan is refused for is refused here as well.
func (p *Policy) admits(asked Asked, view routing.View, endpointID string) (routing.Candidate, bool) {
	request := asked.Request
	preferences, err := routing.ParsePreferences(request.Provider, request.Plugins, request.Transforms, request.Route)
	if err != nil {
		return routing.Candidate{}, false
	}
	if len(preferences.Order) == 0 {
		preferences.NoFallbacks = false // which leaves one candidate, and any of them could be it
	}
	plan, err := p.build(asked, preferences, view, math.MaxInt)
	if err != nil {
		return routing.Candidate{}, false
	}
	at := slices.IndexFunc(plan.Candidates, func(c routing.Candidate) bool { return c.Endpoint.ID == endpointID })
	if at < 0 {
		return routing.Candidate{}, false
	}
	return plan.Candidates[at], true
}

// build plans a request with so many candidates at most.
func (p *Policy) build(asked Asked, preferences routing.Preferences, view routing.View, most int) (routing.Plan, error) {
	request := asked.Request
	options := p.Routing
	options.MaxCandidates = most
	options.DefaultModel = cmp.Or(asked.Key.DefaultModel, options.DefaultModel) // row 14
	options.Sort = cmp.Or(routing.Sort(asked.Key.DefaultSort), options.Sort)
	return routing.Build(routing.Request{
		Model:           request.Model,
		Models:          request.Models,
		Preferences:     preferences,
		Policies:        p.Constraints(asked.Key),
		Guardrails:      p.GuardOf(asked.Key).Constraints,
		OwnKeys:         p.OwnKeys.For(asked.Key),
		Parameters:      request.Parameters,
		InputModalities: request.InputModalities,
		FilesAsText:     request.FilesAsText,
		OutputModality:  request.OutputModality,
		Tools:           request.Tools,
		ToolName:        request.ToolName,
		ToolChoice:      request.ToolChoice,
		ResponseFormat:  request.ResponseFormat,
		ServiceTier:     request.ServiceTier,
		Effort:          request.Effort,
		MaxTokens:       request.MaxTokens,
		PromptTokens:    promptTokens(request),
		LastModel:       request.LastModel,
		Pin:             asked.Pin,
		Seed:            asked.Seed,
		Now:             asked.Now,
	}, p.Catalog, view, options)
}

// promptTokens is an estimate of the prompt, zero if unknown. One that is too low costs
// an attempt, one that is too high refuses what would have fitted; this one tends to
// be low. What is embedded or ranked is many prompts in one request, each of which has
// the whole context.
func promptTokens(request *dialect.Request) int64 {
	if request.OutputModality != "" {
		return 0
	}
	return request.PromptBytes / dialect.BytesPerToken
}

// makePlan plans the request at its first attempt. The seed is the request's id:
// a replica that plans it again comes to the same order.
func (a *attempt) makePlan() (routing.Plan, error) {
	now := time.Now() // the body may have taken a while
	plan, err := a.policy.Plan(Asked{
		Request: a.request, Key: a.key, Pin: a.pin(now), Seed: seedOf(a.requestID), Now: now,
	}, a.Health)
	if err != nil {
		return routing.Plan{}, err
	}
	if err := a.reserve(&plan); err != nil {
		return routing.Plan{}, err
	}
	return a.claimProbe(plan, now), nil
}

func seedOf(requestID string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(requestID))
	return h.Sum64()
}

// claimProbe sees to it that one request at a time tries an endpoint whose
// cool-down has just ended. The others try the next endpoint of the model first.
func (a *attempt) claimProbe(plan routing.Plan, now time.Time) routing.Plan {
	first := plan.Candidates[0].Model.ID
	for i, candidate := range plan.Candidates {
		if candidate.Model.ID != first {
			break
		}
		summary := a.Health.Summary(candidate.StatisticsID(), now)
		if summary.CoolingUntil.After(now) {
			break
		}
		if summary.HalfOpen && !a.Health.Probe(candidate.StatisticsID(), now) {
			continue
		}
		if i > 0 {
			plan.Candidates = slices.Concat(plan.Candidates[i:i+1], plan.Candidates[:i], plan.Candidates[i+1:])
		}
		break
	}
	return plan
}

// awaitTurn holds an attempt that Envoy started beside another one until the
// model's own rule lets it race, or until the others have ended. Envoy has one
// time for all models, the shortest. Nothing of the body is read before: a model
// that is never raced would be sent there again and again.
func (a *attempt) awaitTurn() error {
	if !a.policy.Hedging || a.number == 1 {
		return nil
	}
	a.shared.wait()
	for {
		wait, changed := a.shared.turn(time.Now())
		if changed == nil {
			return nil
		}
		ended, cancel := a.stream.Context(), context.CancelFunc(func() {})
		if wait > 0 {
			ended, cancel = context.WithTimeout(ended, wait)
		}
		select {
		case <-changed:
		case <-ended.Done():
		}
		cancel()
		if a.stream.Context().Err() != nil {
			a.shared.resume()
			return errEnded
		}
	}
}

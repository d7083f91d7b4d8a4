package catalog

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// Model is something that clients ask for by its id.
type Model struct {
	// ID is "author/slug", CanonicalSlug the immutable id, often dated.
	ID, CanonicalSlug string
	// Name and Description are for people.
	Name, Description string
	// Created is a Unix time in seconds, zero if unknown.
	Created int64
	// ContextLength is in tokens, prompt and answer together; zero if unknown.
	ContextLength int64
	// What goes in and what comes out: "text", "image", "file", "audio", ...
	InputModalities, OutputModalities []string
	// Endpoints are who serves the model, in the order of the configuration.
	Endpoints []*Endpoint
	// Listed: the endpoints are tried in their order, without balancing.
	Listed bool
	// Distillable: the author allows that answers train other models.
	Distillable bool
	// KnowledgeCutoff and ExpirationDate are days such as "2026-01-31", or "".
	KnowledgeCutoff, ExpirationDate string
	// Expires is the time from which on requests for the model are refused, zero for
	// never. A day that only a catalog tells of is shown and not acted upon.
	Expires       time.Time
	HuggingFaceID string
	Tokenizer     string
	// Reasoning is how the model thinks, nil if that is not known.
	Reasoning *Reasoning
	// OnDemand: the name after the slug is the client's, and nothing is known
	// of the model; its modalities are therefore all that its provider can have. Such an id
	// must not become a metric label: clients could make up any number of them.
	OnDemand bool
}

// Reasoning is how a model thinks before it answers (spec section 4.5).
type Reasoning struct {
	// SupportedEfforts are in no particular order; nil means any.
	SupportedEfforts []string
	DefaultEffort    string
	DefaultEnabled   bool
	// Mandatory: the model cannot be told not to think.
	Mandatory         bool
	SupportsMaxTokens bool
}

// Endpoint is one model at one provider.
type Endpoint struct {
	// ID is "<model id>|<tag>". It stays the same from one configuration to the
	// next, so that what is known of an endpoint's health outlives a reload.
	ID       string
	Model    *Model
	Provider *Provider
	// ProviderModel is the provider's name for the model.
	ProviderModel string
	// Tag is the routing slug: the provider's slug, or a refinement of it such
	// as "deepinfra/turbo". No two endpoints of a model share one.
	Tag string
	// ContextLength is in tokens, prompt and answer together; zero if unknown.
	ContextLength int64
	// MaxCompletionTokens bounds the answer; zero means the context does.
	MaxCompletionTokens int64
	// Quantization is a name from the schema, "unknown" if not stated.
	Quantization string
	// SupportedParameters are the request parameters that the endpoint takes;
	// nil means all that the provider's dialect can say, see [Endpoint.Parameters].
	SupportedParameters []string
	Prices              Prices
	// PriceVersion names Prices: other prices have another name, on every replica
	// the same.
	PriceVersion string
	// Region is where the data goes, "" if not stated.
	Region string
	// NoTraining and NoRetention are promises of the provider for this endpoint.
	NoTraining, NoRetention bool
	// Weight is the endpoint's share instead of the inverse square of its price; -1 if
	// none is set.
	Weight int
	// CanaryPercent of requests try the endpoint first and all others last; -1 if
	// it is no canary.
	CanaryPercent int
	// Tier: all endpoints of a lower tier are tried before those of a higher one.
	Tier uint32
	// ServiceTier is "flex" or "priority" for an endpoint that only requests for
	// that tier may use, else "".
	ServiceTier string
	// MaxPromptTokens bounds the prompt; zero means the context does.
	MaxPromptTokens int64
}

// Expired reports whether requests for the model are refused at a time.
func (m *Model) Expired(now time.Time) bool { return !m.Expires.IsZero() && !now.Before(m.Expires) }

// allModalities are those that a client's message can carry.
var allModalities = [...]string{"text", "image", "file", "audio", "video"}

// maxNameBytes bounds the names that clients make up for models on demand.
const maxNameBytes = 256

// newModel reads a model. listed is what holds for models that do not say how they
// are balanced.
func newModel(id string, from *configpb.Model, providers map[string]*Provider, listed bool) (*Model, error) {
	model := &Model{
		ID:               id,
		CanonicalSlug:    cmp.Or(from.GetCanonicalSlug(), id),
		Name:             cmp.Or(from.GetName(), id),
		Description:      from.GetDescription(),
		Created:          from.GetCreated(),
		ContextLength:    from.GetContextLength(),
		InputModalities:  modalities(from.GetInputModalities()),
		OutputModalities: modalities(from.GetOutputModalities()),
		Listed:           listed,
		Distillable:      from.GetDistillable(),
		KnowledgeCutoff:  from.GetKnowledgeCutoff(),
		ExpirationDate:   from.GetExpirationDate(),
		HuggingFaceID:    from.GetHuggingFaceId(),
		Tokenizer:        cmp.Or(from.GetTokenizer(), "Other"),
	}
	switch from.GetBalance() {
	case configpb.Balance_BALANCE_LISTED:
		model.Listed = true
	case configpb.Balance_BALANCE_PRICE:
		model.Listed = false
	}
	if r := from.GetReasoning(); r != nil {
		model.Reasoning = &Reasoning{
			SupportedEfforts: slices.Clone(r.GetSupportedEfforts()), DefaultEffort: r.GetDefaultEffort(),
			DefaultEnabled: r.GetDefaultEnabled(), Mandatory: r.GetMandatory(), SupportsMaxTokens: r.GetSupportsMaxTokens(),
		}
	}
	if model.ContextLength == 0 {
		for _, endpoint := range from.GetEndpoints() {
			model.ContextLength = max(model.ContextLength, endpoint.GetContextLength())
		}
	}
	var failures []error
	if len(from.GetEndpoints()) == 0 {
		failures = append(failures, fmt.Errorf("models[%q].endpoints: a model needs at least one endpoint", id))
	}
	tags := make(map[string]int)
	if day, stated := from.GetExpirationDate(), from.GetRefuseExpired(); stated {
		var err error
		if model.Expires, err = time.Parse(time.DateOnly, day); err != nil {
			failures = append(failures, fmt.Errorf("models[%q].expiration_date: want a day such as 2027-01-31, not %q", id, day))
		}
	}
	for i, endpoint := range from.GetEndpoints() {
		if endpoint.GetDisabled() {
			continue
		}
		path := fmt.Sprintf("models[%q].endpoints[%d]", id, i)
		built, err := newEndpoint(path, model, endpoint, providers)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		if first, taken := tags[built.Tag]; taken {
			failures = append(failures, fmt.Errorf("%s.tag: %q is the tag of endpoints[%d] too; give one of them a tag of its own", path, built.Tag, first))
		}
		tags[built.Tag] = i
		model.Endpoints = append(model.Endpoints, built)
	}
	return model, errors.Join(failures...)
}

func newEndpoint(path string, model *Model, from *configpb.Endpoint, providers map[string]*Provider) (*Endpoint, error) {
	provider, ok := providers[from.GetProvider()]
	if !ok {
		return nil, fmt.Errorf("%s.provider: no provider %q is configured", path, from.GetProvider())
	}
	if err := checkTask(path, model, provider); err != nil {
		return nil, err
	}
	prices, err := newPrices(path+".prices", from.GetPrices())
	if err != nil {
		return nil, err
	}
	_, name, _ := strings.Cut(model.ID, "/")
	tag := from.TagOrDefault()
	endpoint := &Endpoint{
		ID:                  model.ID + "|" + tag,
		Model:               model,
		Provider:            provider,
		ProviderModel:       cmp.Or(from.GetModel(), name),
		Tag:                 tag,
		ContextLength:       cmp.Or(from.GetContextLength(), model.ContextLength),
		MaxCompletionTokens: from.GetMaxCompletionTokens(),
		Quantization:        cmp.Or(from.GetQuantization(), "unknown"),
		SupportedParameters: Sayable(provider.Dialect, from.GetSupportedParameters()),
		Prices:              prices,
		PriceVersion:        prices.version(),
		Region:              cmp.Or(from.GetRegion(), provider.Region),
		NoTraining:          provider.NoTraining,
		NoRetention:         provider.NoRetention,
		Weight:              -1,
		CanaryPercent:       -1,
		Tier:                provider.Tier,
		ServiceTier:         from.GetServiceTier(),
		MaxPromptTokens:     from.GetMaxPromptTokens(),
	}
	if endpoint.SupportedParameters == nil && !slices.Contains(model.OutputModalities, "text") {
		endpoint.SupportedParameters = []string{} // all of them are of conversations
	}
	if policy := from.GetDataPolicy(); policy != nil {
		endpoint.NoTraining, endpoint.NoRetention = policy.GetNoTraining(), policy.GetNoRetention()
	}
	if from.Weight != nil {
		endpoint.Weight = int(from.GetWeight())
	}
	if from.CanaryPercent != nil {
		endpoint.CanaryPercent = int(from.GetCanaryPercent())
	}
	if from.Tier != nil {
		endpoint.Tier = from.GetTier()
	}
	return endpoint, nil
}

// checkTask refuses models for what only one wire format has words for. A model that
// converses may draw in conversations.
func checkTask(path string, model *Model, provider *Provider) error {
	if provider.Dialect == "" { // that is an error of its own
		return nil
	}
	for _, task := range tasks {
		if slices.Contains(model.OutputModalities, task) && !Makes(model, provider, task) && !(task == "image" && Makes(model, provider, "text")) {
			return fmt.Errorf("%s.provider: %q speaks %s, which has no %s; serve the model at a provider whose dialect is %s",
				path, provider.Slug, provider.Dialect, task, strings.Join(dialectsWith(task), " or "))
		}
	}
	return nil
}

// Makes reports whether a model at a provider makes an output modality at the API
// endpoint that is for it.
func Makes(model *Model, provider *Provider, modality string) bool {
	return slices.Contains(model.OutputModalities, modality) &&
		(!slices.Contains(tasks[:], modality) || slices.Contains(dialects[provider.Dialect].tasks, modality))
}

// tasks are the output modalities that have an API endpoint of their own.
var tasks = [...]string{"embeddings", "rerank", "image", "speech", "transcription"}

// onDemand makes up the model that a provider of any model may have.
func onDemand(id, name string, provider *Provider) *Model {
	model := &Model{
		ID:               id,
		CanonicalSlug:    id,
		Name:             id,
		InputModalities:  allModalities[:],
		OutputModalities: []string{"text"},
		Tokenizer:        "Other",
		OnDemand:         true,
	}
	model.OutputModalities = append(model.OutputModalities, dialects[provider.Dialect].tasks...)
	model.Endpoints = []*Endpoint{{
		ID:            id + "|" + provider.Slug,
		Model:         model,
		Provider:      provider,
		ProviderModel: name,
		Tag:           provider.Slug,
		Quantization:  "unknown",
		Region:        provider.Region,
		NoTraining:    provider.NoTraining,
		NoRetention:   provider.NoRetention,
		Weight:        -1,
		CanaryPercent: -1,
		Tier:          provider.Tier,
	}}
	return model
}

// validName reports whether a name that a client made up may travel on: it ends
// up in requests, logs and tables.
func validName(name string) bool {
	return name != "" && len(name) <= maxNameBytes && utf8.ValidString(name) &&
		!strings.ContainsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) })
}

func modalities(named []string) []string {
	if len(named) == 0 {
		return []string{"text"}
	}
	return slices.Clone(named)
}

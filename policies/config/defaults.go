package config

import (
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// maxCacheEntry is the largest answer that may be kept, in bytes: it is given in one piece.
const maxCacheEntry = 16 << 20

// The largest request body that is accepted, in bytes: by default, and at most. And the
// largest file that is fetched for one.
const (
	defaultFetchSize   = "20MiB"
	defaultRequestBody = "32MiB"
	maxRequestBody     = 256 << 20
)

// fillDefaults sets what was left out, where the default is a value that a
// person could have written. Left as they are, because their absence says
// something: envoy.path, envoy.concurrency, tls, prices, supported_parameters,
// max_completion_tokens, routing.hedge_after, telemetry.log_format.
func fillDefaults(config *configpb.Config) {
	orDefault(&config.ModelsFromPresets, configpb.PresetModels_PRESET_MODELS_ALL)

	config.Listener = orNew(config.Listener)
	orDefault(&config.Listener.Address, "127.0.0.1:8080")
	orDefault(&config.Listener.MaxRequestBody, defaultRequestBody)

	config.Envoy = orNew(config.Envoy)
	orDuration(&config.Envoy.DrainTime, 30*time.Second)

	for slug, provider := range config.GetProviders() {
		fillProvider(slug, provider)
	}
	for id, model := range config.GetModels() {
		fillModel(id, model)
	}

	config.Limits = orNew(config.Limits)
	fillLimits(config.Limits, &configpb.Limits{})
	for _, key := range config.GetKeys() {
		if key.Limits == nil {
			key.Limits = proto.CloneOf(config.Limits)
		}
		fillLimits(key.Limits, config.Limits)
	}
	fillWindows(config.GetTotalLimits())
	fillWindows(config.GetOrganizationLimits())
	for _, provider := range config.GetProviders() {
		fillWindows(provider.GetLimits())
	}
	for _, model := range config.GetModels() {
		fillWindows(model.GetLimits())
	}

	config.Routing = orNew(config.Routing)
	orDefault(&config.Routing.MaxAttempts, 8)
	orDefault(&config.Routing.MaxFallbackModels, 3)
	orDuration(&config.Routing.CoolDown, 5*time.Second)
	orDuration(&config.Routing.MaxCoolDown, max(2*time.Minute, config.Routing.CoolDown.AsDuration()))
	orDefault(&config.Routing.Balance, configpb.Balance_BALANCE_PRICE)
	orDuration(&config.Routing.OutageWindow, 30*time.Second)
	orDuration(&config.Routing.StickyFor, 10*time.Minute)
	orDefault(&config.Routing.KeepAliveComment, "OPENROUTER PROCESSING")
	orDuration(&config.Routing.KeepAliveInterval, 10*time.Second)

	if config.Redis != nil {
		orDefault(&config.Redis.Prefix, "switchyard:")
		orDuration(&config.Redis.Timeout, time.Second)
	}

	config.Ledger = orNew(config.Ledger)
	orDefault(&config.Ledger.MaxJournal, "1GiB")
	config.Cache = orNew(config.Cache)
	orDefault(&config.Cache.MaxSize, "64MiB")
	orDefault(&config.Cache.MaxEntry, "4MiB")
	orDuration(&config.Ledger.ContentRetention, 30*24*time.Hour)
	config.Identity = orNew(config.Identity)
	orDuration(&config.Identity.ReadLogRetention, 90*24*time.Hour)
	config.Fetch = orNew(config.Fetch)
	orDefault(&config.Fetch.MaxSize, defaultFetchSize)
	orDuration(&config.Fetch.Timeout, 10*time.Second)

	config.Telemetry = orNew(config.Telemetry)
	orDefault(&config.Telemetry.LogLevel, "info")
}

func fillProvider(slug string, provider *configpb.Provider) {
	orDefault(&provider.Name, slug)
	provider.BaseUrl = strings.TrimRight(provider.BaseUrl, "/")
	if provider.Strict == nil {
		provider.Strict = proto.Bool(false)
	}
	if provider.AnyModel == nil {
		provider.AnyModel = proto.Bool(false)
	}
	provider.DataPolicy = orNew(provider.DataPolicy)
	provider.Timeouts = orNew(provider.Timeouts)
	orDuration(&provider.Timeouts.Connect, 5*time.Second)
	orDuration(&provider.Timeouts.ResponseHeaders, 2*time.Minute)
	orDuration(&provider.Timeouts.FirstToken, 2*time.Minute)
	orDuration(&provider.Timeouts.BetweenTokens, time.Minute)
	if check := provider.GetHealthCheck(); check.GetInterval().AsDuration() > 0 {
		if provider.GetDialect() == configpb.Dialect_DIALECT_OLLAMA {
			orDefault(&check.Path, "/tags") // its list of models
		}
		orDefault(&check.Path, "/models")
		orDuration(&check.Timeout, 5*time.Second)
	}
}

func fillModel(id string, model *configpb.Model) {
	orDefault(&model.Name, id)
	orDefault(&model.CanonicalSlug, id)
	if model.ExpirationDate != "" && model.RefuseExpired == nil {
		model.RefuseExpired = proto.Bool(false) // so that what is printed means the same when it is read
	}
	if len(model.InputModalities) == 0 {
		model.InputModalities = []string{"text"}
	}
	if len(model.OutputModalities) == 0 {
		model.OutputModalities = []string{"text"}
	}
	var longest int64
	for _, endpoint := range model.Endpoints {
		_, slug, _ := strings.Cut(id, "/")
		orDefault(&endpoint.Model, slug)
		endpoint.Tag = endpoint.TagOrDefault()
		orDefault(&endpoint.Quantization, "unknown")
		orDefault(&endpoint.ContextLength, model.ContextLength)
		longest = max(longest, endpoint.ContextLength)
		endpoint.Prices = orNew(endpoint.Prices)
	}
	orDefault(&model.ContextLength, longest)
}

// fillLimits completes one key's limits with the general ones. A key that has a
// limit of its own on requests has one, even if the others have none.
func fillLimits(limits, general *configpb.Limits) {
	if limits.Tokens == 0 {
		limits.Tokens = general.Tokens
		if limits.TokensWindow == nil {
			limits.TokensWindow = general.TokensWindow
		}
	}
	if limits.Budget == "" {
		limits.Budget = general.Budget
		orDefault(&limits.BudgetReset, general.BudgetReset)
	}
	orDefault(&limits.Concurrency, general.Concurrency)
	orDefault(&limits.OnRedisFailure, general.OnRedisFailure)
	if limits.PerUser == nil && general.PerUser != nil {
		limits.PerUser = proto.CloneOf(general.PerUser)
	}
	switch {
	case limits.Unlimited:
	case limits.Requests == 0 && general.Unlimited:
		limits.Unlimited = true
	default:
		orDefault(&limits.Requests, general.Requests)
		orDefault(&limits.Requests, 40)
		orDuration(&limits.Window, general.GetWindow().AsDuration())
	}
	fillWindows(limits)
	fillWindows(limits.PerUser)
}

// fillWindows completes the limits that are set, and sets no other.
func fillWindows(limits *configpb.Limits) {
	if limits == nil {
		return
	}
	if limits.Requests > 0 {
		orDuration(&limits.Window, 10*time.Second)
	}
	if limits.Tokens > 0 {
		orDuration(&limits.TokensWindow, time.Minute)
	}
	if limits.Budget != "" {
		orDefault(&limits.BudgetReset, configpb.BudgetReset_BUDGET_RESET_NEVER)
	}
}

// orDefault replaces a zero value.
func orDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// orDuration replaces a duration that is missing or zero.
func orDuration(field **durationpb.Duration, value time.Duration) {
	if (*field).AsDuration() == 0 {
		*field = durationpb.New(value)
	}
}

// orNew replaces a message that is missing.
func orNew[T any](message *T) *T {
	if message == nil {
		return new(T)
	}
	return message
}

package main

import (
	"cmp"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/switchyard/switchyard/envoy"
	"github.com/switchyard/switchyard/extproc"
	"github.com/switchyard/switchyard/extproc/dialect/registry"
	"github.com/switchyard/switchyard/extproc/fetch"
	"github.com/switchyard/switchyard/policies/byok"
	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/config"
	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/health"
	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/money"
	"github.com/switchyard/switchyard/policies/preset"
	"github.com/switchyard/switchyard/policies/quota"
	"github.com/switchyard/switchyard/policies/routing"
	"github.com/switchyard/switchyard/xds"
)

// clients and providers are the dialects that are spoken.
var (
	clients   = registry.Clients()
	providers = registry.Providers()
)

// generation is one configuration as the rooms see it: all of it is right, or
// it is not made.
type generation struct {
	effective *config.Effective
	policy    *extproc.Policy
	inputs    xds.Inputs
	health    health.Options
	// guardrails are those of the configuration; policy has what they come to.
	guardrails *guardrails
}

func newGeneration(effective *config.Effective, apiSocket string) (*generation, error) {
	cfg := effective.Config()
	models, err := catalog.New(cfg, func(provider string) (string, bool) {
		secret, ok := effective.Secret(provider)
		return secret.Reveal(), ok
	})
	if err != nil {
		return nil, err
	}
	presets, err := preset.FromConfig(cfg)
	if err != nil {
		return nil, err
	}
	if err := checkPresets(presets); err != nil {
		return nil, err
	}
	keys, err := identity.NewKeyring(cfg)
	if err != nil {
		return nil, err
	}
	inputs, err := newInputs(effective, models, apiSocket)
	if err != nil {
		return nil, err
	}
	if _, err := xds.Build(inputs); err != nil {
		return nil, err
	}
	limits, err := quota.NewRules(cfg)
	if err != nil {
		return nil, err
	}
	policy, err := newPolicy(effective, models, keys)
	if err != nil {
		return nil, err
	}
	guardrails, err := newGuardrails(cfg)
	if err != nil {
		return nil, err
	}
	policy.Guard, policy.Guards = guardrails.guards()
	policy.Limits, policy.BudgetStatus = limits, int(cfg.GetBudgetStatus())
	settings := cfg.GetRouting()
	return &generation{
		effective: effective,
		inputs:    inputs,
		health: health.Options{
			CoolDown:     settings.GetCoolDown().AsDuration(),
			MaxCoolDown:  settings.GetMaxCoolDown().AsDuration(),
			OutageWindow: settings.GetOutageWindow().AsDuration(),
		},
		policy:     policy,
		guardrails: guardrails,
	}, nil
}

// newPolicy is what the data path reads of a configuration.
func newPolicy(effective *config.Effective, models *catalog.Catalog, keys *identity.Keyring) (*extproc.Policy, error) {
	cfg := effective.Config()
	settings := cfg.GetRouting()
	gateway, err := routing.NewConstraints(cfg.GetPolicy())
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	policy := &extproc.Policy{
		Catalog:         models,
		Keys:            keys,
		MaxRequestBytes: effective.MaxRequestBody(),
		MaxHeldRequests: cmp.Or(effective.MaxHeldRequests(), memoryShare(8)),
		MaxHeldAnswers:  cmp.Or(effective.MaxHeldAnswers(), memoryShare(16)),
		StopOn:          classSet(settings.GetStopOn()),
		HedgeAfter:      settings.GetHedgeAfter().AsDuration(),
		Hedging:         shortestHedge(settings) > 0,
		Routes:          newRoutes(settings.GetRoutes()),
		Routing: routing.Options{
			MaxFallbackModels: int(settings.GetMaxFallbackModels()),
			MaxCandidates:     int(settings.GetMaxAttempts()),
			DefaultModel:      settings.GetDefaultModel(),
			Sort:              sorts[settings.GetSort()],
			AutoModels:        settings.GetAutoModels(),
		},
		Gateway:           gateway,
		KeyConstraints:    make(map[string]*routing.Constraints),
		StickyFor:         settings.GetStickyFor().AsDuration(),
		KeepAliveComment:  settings.GetKeepAliveComment(),
		KeepAliveInterval: settings.GetKeepAliveInterval().AsDuration(),
		OwnKeyFee:         byok.Tariff{Fee: byok.FeePercent(cfg.GetByok().GetFeePercent())},
	}
	if policy.OwnKeyFee.Allowance, err = money.Parse(cmp.Or(cfg.GetByok().GetFreeAllowance(), "0")); err != nil {
		return nil, fmt.Errorf("byok.free_allowance: %w", err)
	}
	if settings.GetNoSticky() {
		policy.StickyFor = 0
	}
	if !cfg.GetCache().GetDisabled() {
		policy.MaxCacheEntry = effective.MaxCacheEntry()
	}
	if policy.Signers, err = newSigners(models.Providers()); err != nil {
		return nil, err
	}
	if settings := cfg.GetFetch(); !settings.GetDisabled() {
		policy.Fetcher, err = fetch.New(fetch.Options{
			Allow: settings.GetAllow(), MaxBytes: effective.MaxFetchSize(), MaxTotal: effective.MaxRequestBody(),
			Timeout: settings.GetTimeout().AsDuration(),
		})
		if err != nil {
			return nil, fmt.Errorf("fetch.allow: %w", err)
		}
	}
	for i, key := range cfg.GetKeys() {
		constraints, err := routing.NewConstraints(key.GetPolicy())
		if err != nil {
			return nil, fmt.Errorf("keys[%d].policy: %w", i, err)
		}
		policy.KeyConstraints[key.GetHash()] = constraints
	}
	return policy, nil
}

// memoryShare is a part of the machine's memory, in bytes; of 4 GiB where that is not
// known.
func memoryShare(parts int64) int64 {
	memory := cmp.Or(envoy.Memory(os.DirFS("/")), 4<<30)
	return int64(memory) / parts //nolint:gosec // no machine has so much
}

var sorts = map[configpb.Sort]routing.Sort{
	configpb.Sort_SORT_PRICE:      routing.SortPrice,
	configpb.Sort_SORT_THROUGHPUT: routing.SortThroughput,
	configpb.Sort_SORT_LATENCY:    routing.SortLatency,
	configpb.Sort_SORT_EXACTO:     routing.SortExacto,
}

func newRoutes(from []*configpb.Route) []extproc.Route {
	var routes []extproc.Route
	for _, r := range from {
		route := extproc.Route{Models: r.GetModels(), MaxAttempts: int(r.GetMaxAttempts())}
		if len(r.GetStopOn()) > 0 {
			route.StopOn = classSet(r.GetStopOn())
		}
		if after := r.GetHedgeAfter().AsDuration(); r.GetNoHedge() {
			route.HedgeAfter = new(time.Duration)
		} else if after > 0 {
			route.HedgeAfter = &after
		}
		routes = append(routes, route)
	}
	return routes
}

// shortestHedge is the time after which Envoy starts a second attempt beside the
// first; the processor holds it back where a model's own rule says so. Zero is
// never.
func shortestHedge(settings *configpb.Routing) time.Duration {
	shortest := settings.GetHedgeAfter().AsDuration()
	for _, route := range settings.GetRoutes() {
		if after := route.GetHedgeAfter().AsDuration(); after > 0 && (shortest == 0 || after < shortest) {
			shortest = after
		}
	}
	return shortest
}

func classSet(classes []configpb.FailureClass) map[health.Class]bool {
	set := make(map[health.Class]bool, len(classes))
	for _, class := range classes {
		set[failureClasses[class]] = true
	}
	return set
}

var failureClasses = map[configpb.FailureClass]health.Class{
	configpb.FailureClass_FAILURE_CLASS_CONNECT:        health.Connect,
	configpb.FailureClass_FAILURE_CLASS_AUTHENTICATION: health.Authentication,
	configpb.FailureClass_FAILURE_CLASS_NOT_FOUND:      health.NotFound,
	configpb.FailureClass_FAILURE_CLASS_TIMEOUT:        health.Timeout,
	configpb.FailureClass_FAILURE_CLASS_RATE_LIMITED:   health.RateLimited,
	configpb.FailureClass_FAILURE_CLASS_SERVER_ERROR:   health.ServerError,
	configpb.FailureClass_FAILURE_CLASS_BAD_ANSWER:     health.BadAnswer,
}

func newInputs(effective *config.Effective, models *catalog.Catalog, apiSocket string) (xds.Inputs, error) {
	cfg := effective.Config()
	host, portText, err := net.SplitHostPort(cfg.GetListener().GetAddress())
	if err != nil {
		return xds.Inputs{}, fmt.Errorf("listener.address: %w", err)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return xds.Inputs{}, fmt.Errorf("listener.address: port %q: want 0 to 65535", portText)
	}
	in := xds.Inputs{
		Listen:          xds.Address{Host: host, Port: uint32(port)},
		MaxRequestBytes: uint64(effective.MaxRequestBody()),
		APISocket:       apiSocket,
		TrustedHops:     cfg.GetListener().GetTrustedHops(),
		HedgeAfter:      shortestHedge(cfg.GetRouting()),
		NoAccessLog:     cfg.GetTelemetry().GetNoAccessLog(),
		InferencePaths:  clients.Paths(),
		ErrorBody:       registry.ErrorBody,
	}
	if cfg.GetListener().GetTls() != nil {
		chain, key := effective.ListenerCertificate()
		in.TLS = &xds.ServerTLS{CertificatePEM: chain, KeyPEM: []byte(key.Reveal())}
	}
	// The processor's own deadlines are the tighter ones; Envoy's must not end a
	// wait that a provider's configuration allows.
	longest := time.Duration(0)
	for _, p := range models.Providers() {
		longest = max(longest, p.Timeouts.ResponseHeaders, p.Timeouts.FirstToken, p.Timeouts.BetweenTokens)
		cluster := xds.Cluster{Name: p.Cluster, Host: p.Host, Port: uint32(p.Port), ConnectTimeout: p.Timeouts.Connect}
		if p.Scheme == "https" {
			cluster.TLS = &xds.UpstreamTLS{AuthoritiesPEM: effective.Authorities(p.Slug)}
			if p.CAFile == "" && in.SystemCAFile == "" {
				if in.SystemCAFile, err = xds.FindSystemCAFile(); err != nil {
					return xds.Inputs{}, err
				}
			}
		}
		in.Clusters = append(in.Clusters, cluster)
	}
	in.StreamIdleTimeout = max(5*time.Minute, longest+time.Minute)
	return in, nil
}

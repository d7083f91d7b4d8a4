package main

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/switchyard/switchyard/extproc"
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/anthropic"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/config"
	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/health"
	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/xds"
)

// clients are the client dialects by path; providers those of providers by name.
// A new dialect is registered here.
var (
	clients = map[string]dialect.Client{
		"/api/v1/chat/completions": openai.Client{},
		"/v1/chat/completions":     openai.Client{},
	}
	providers = map[string]dialect.Provider{
		catalog.DialectAnthropic: anthropic.Provider{},
		catalog.DialectOpenAI:    openai.Provider{},
	}
)

// generation is one configuration as the rooms see it: all of it is right, or
// it is not made.
type generation struct {
	effective *config.Effective
	policy    *extproc.Policy
	inputs    xds.Inputs
	health    health.Options
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
	routing := cfg.GetRouting()
	stopOn := make(map[health.Class]bool)
	for _, class := range routing.GetStopOn() {
		stopOn[failureClasses[class]] = true
	}
	return &generation{
		effective: effective,
		inputs:    inputs,
		health:    health.Options{CoolDown: routing.GetCoolDown().AsDuration(), MaxCoolDown: routing.GetMaxCoolDown().AsDuration()},
		policy: &extproc.Policy{
			Catalog:           models,
			Keys:              keys,
			MaxRequestBytes:   effective.MaxRequestBody(),
			StopOn:            stopOn,
			MaxAttempts:       int(routing.GetMaxAttempts()),
			MaxFallbackModels: int(routing.GetMaxFallbackModels()),
			KeepAliveComment:  routing.GetKeepAliveComment(),
			KeepAliveInterval: routing.GetKeepAliveInterval().AsDuration(),
		},
	}, nil
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
		HedgeAfter:      cfg.GetRouting().GetHedgeAfter().AsDuration(),
		NoAccessLog:     cfg.GetTelemetry().GetNoAccessLog(),
	}
	for path := range clients {
		in.InferencePaths = append(in.InferencePaths, path)
	}
	slices.Sort(in.InferencePaths)
	if tls := cfg.GetListener().GetTls(); tls != nil {
		in.TLS = &xds.ServerTLS{CertificateFile: tls.GetCertificateFile(), KeyFile: tls.GetPrivateKeyFile()}
	}
	// The processor's own deadlines are the tighter ones; Envoy's must not end a
	// wait that a provider's configuration allows.
	longest := time.Duration(0)
	for _, p := range models.Providers() {
		longest = max(longest, p.Timeouts.ResponseHeaders, p.Timeouts.FirstToken, p.Timeouts.BetweenTokens)
		cluster := xds.Cluster{Name: p.Cluster, Host: p.Host, Port: uint32(p.Port), ConnectTimeout: p.Timeouts.Connect}
		if p.Scheme == "https" {
			cluster.TLS = &xds.UpstreamTLS{CAFile: p.CAFile}
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

package catalog

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// Provider is one site of one vendor, and how to reach it.
type Provider struct {
	Slug string
	// Name is what clients see as `provider`.
	Name string
	// Dialect is the wire format that the provider speaks, by its name in the
	// configuration: "openai", "anthropic", "gemini", ...
	Dialect string
	// Cluster is the name of its Envoy cluster, "provider/<slug>".
	Cluster string
	// Scheme is "http" or "https", Host a name or an IP address without
	// brackets, Port never zero.
	Scheme string
	Host   string
	Port   uint16
	// Authority is what :authority says: the host, and the port unless it is the
	// scheme's own.
	Authority string
	// PathPrefix stands before the dialect's path: "" or "/v1", no slash at its end.
	PathPrefix string
	Credential Credential
	// Authentication is how requests prove who sends them.
	Authentication configpb.Authentication
	// SigningRegion is the AWS region that signatures name, "" for the one in the
	// host's name.
	SigningRegion string
	// APIVersion is the version of the API to ask for, "" for the dialect's own choice.
	APIVersion string
	// Headers go with every request; names are lower-case. Do not change the map.
	Headers  map[string]string
	Timeouts Timeouts
	// Region is where the data goes, "" if not stated.
	Region string
	// NoTraining and NoRetention are promises of the provider.
	NoTraining, NoRetention bool
	// RefusedFields are request fields that the provider refuses, whatever its
	// dialect says.
	RefusedFields []string
	// Quirks are how its Chat Completions differ from OpenAI's, nil for none. Do not
	// change them.
	Quirks *configpb.Quirks
	// Strict: fields that the dialect does not define are refused too.
	Strict bool
	// CAFile holds the certificate authorities to trust; "" means the system's.
	CAFile string
	// AnyModel: every id "<slug>/<name>" is served.
	AnyModel bool
	// Headquarters is an ISO 3166 country code, "" if not stated; Datacenters are
	// such codes.
	Headquarters string
	Datacenters  []string
	// Links for people, "" if not known.
	PrivacyPolicyURL, TermsOfServiceURL, StatusPageURL string
	// Tier is that of endpoints which set none.
	Tier uint32
	// HealthCheck is how the provider is asked whether it is up; its zero value is
	// not at all.
	HealthCheck HealthCheck
}

// HealthCheck is a GET request that tells whether a provider is up.
type HealthCheck struct {
	Interval time.Duration
	// Path stands behind the base URL.
	Path    string
	Timeout time.Duration
}

// Timeouts bound the waits for a provider. None is zero.
type Timeouts struct {
	// Connect covers TCP and TLS.
	Connect time.Duration
	// ResponseHeaders runs from the request to the response headers.
	ResponseHeaders time.Duration
	// FirstToken runs from the request to the first token of a stream.
	FirstToken time.Duration
	// BetweenTokens runs from one piece of an answer to the next.
	BetweenTokens time.Duration
}

// newProvider never returns nil, so that the models of a faulty provider can be
// checked too.
func newProvider(slug string, from *configpb.Provider, secret func(string) (string, bool)) (*Provider, error) {
	path := fmt.Sprintf("providers[%q]", slug)
	provider := &Provider{
		Slug:          slug,
		Name:          cmp.Or(from.GetName(), slug),
		Cluster:       "provider/" + slug,
		Headers:       make(map[string]string, len(from.GetHeaders())),
		Timeouts:      newTimeouts(from.GetTimeouts()),
		Region:        from.GetRegion(),
		NoTraining:    from.GetDataPolicy().GetNoTraining(),
		NoRetention:   from.GetDataPolicy().GetNoRetention(),
		RefusedFields: slices.Clone(from.GetRefusedFields()),
		Quirks:        proto.CloneOf(from.GetQuirks()),
		CAFile:        from.GetCaFile(),
		AnyModel:      from.GetAnyModel(),
		Strict:        from.GetStrict(),

		Authentication: from.GetAuthentication(),
		SigningRegion:  from.GetSigningRegion(),
		APIVersion:     from.GetApiVersion(),

		Headquarters:      from.GetHeadquarters(),
		Datacenters:       slices.Clone(from.GetDatacenters()),
		PrivacyPolicyURL:  from.GetPrivacyPolicyUrl(),
		TermsOfServiceURL: from.GetTermsOfServiceUrl(),
		StatusPageURL:     from.GetStatusPageUrl(),
		Tier:              from.GetTier(),
	}
	if check := from.GetHealthCheck(); check.GetInterval().AsDuration() > 0 {
		provider.HealthCheck = HealthCheck{
			Interval: check.GetInterval().AsDuration(),
			Path:     cmp.Or(check.GetPath(), "/models"),
			Timeout:  or(check.GetTimeout(), 5*time.Second),
		}
	}
	for name, value := range from.GetHeaders() {
		provider.Headers[strings.ToLower(name)] = value
	}
	if key, ok := secret(slug); ok {
		provider.Credential = NewCredential(key)
	}
	var failures []error
	provider.Dialect = dialectName(from.GetDialect())
	if _, known := dialects[provider.Dialect]; !known {
		failures = append(failures, fmt.Errorf("%s.dialect: say which wire format the provider speaks: %s",
			path, strings.Join(slices.Sorted(maps.Keys(dialects)), ", ")))
	}
	if err := provider.locate(from.GetBaseUrl()); err != nil {
		failures = append(failures, fmt.Errorf("%s.base_url: %w", path, err))
	}
	return provider, errors.Join(failures...)
}

// locate reads a base URL. Its errors never quote the URL, which may hold a
// password.
func (p *Provider) locate(base string) error {
	if base == "" {
		return errors.New("want a URL such as https://api.openai.com/v1")
	}
	location, err := url.Parse(base)
	switch {
	case err != nil:
		return errors.New("not a URL; want one such as https://api.openai.com/v1")
	case location.Scheme != "https" && location.Scheme != "http":
		return fmt.Errorf("scheme %q; want https:// or http://", location.Scheme)
	case location.Hostname() == "":
		return errors.New("no host; want a URL such as https://api.openai.com/v1")
	case location.User != nil:
		return errors.New("a user name or password in the URL; use credential instead")
	case location.RawQuery != "" || location.ForceQuery || location.Fragment != "":
		return errors.New("a query or fragment in the URL; end it with the path")
	}
	standard := "443"
	if location.Scheme == "http" {
		standard = "80"
	}
	port, err := strconv.ParseUint(cmp.Or(location.Port(), standard), 10, 16)
	if err != nil || port == 0 {
		return fmt.Errorf("port %q; want 1 to 65535", location.Port())
	}
	p.Scheme = location.Scheme
	p.Host = strings.ToLower(location.Hostname())
	p.Port = uint16(port)
	p.PathPrefix = strings.TrimRight(location.EscapedPath(), "/")
	p.Authority = net.JoinHostPort(p.Host, strconv.Itoa(int(p.Port)))
	if strconv.Itoa(int(p.Port)) == standard {
		p.Authority = strings.TrimSuffix(p.Authority, ":"+standard)
	}
	return nil
}

func newTimeouts(from *configpb.Timeouts) Timeouts {
	return Timeouts{
		Connect:         or(from.GetConnect(), 5*time.Second),
		ResponseHeaders: or(from.GetResponseHeaders(), 2*time.Minute),
		FirstToken:      or(from.GetFirstToken(), 2*time.Minute),
		BetweenTokens:   or(from.GetBetweenTokens(), time.Minute),
	}
}

func or(configured *durationpb.Duration, fallback time.Duration) time.Duration {
	return cmp.Or(configured.AsDuration(), fallback)
}

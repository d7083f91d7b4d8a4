package config

import (
	"crypto/tls"
	"crypto/x509"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// check reports what no rule of the schema can say, because it takes two
// fields, a file or more than a pattern. It runs on filled defaults.
func (l *loader) check(config *configpb.Config) {
	l.checkListener(config)
	for slug, provider := range config.GetProviders() {
		l.checkProvider(slug, provider)
	}
	l.checkKeys(config.GetKeys())
	l.checkLimits(config)
	l.checkBalance(config)
	l.checkPolicies(config)
	l.checkGuardrails(config)
	l.checkNames(config)
	l.checkRouting(config)
	l.checkRedis(config.GetRedis())
	l.checkLedger(config.GetLedger())
	l.checkMemory(config.GetMemory())
	l.checkContent(config)
	l.checkFetch(config.GetFetch())
	l.checkIssuers(config)
	l.checkCache(config)
}

func (l *loader) checkListener(config *configpb.Config) {
	listener, at := config.GetListener(), path{".listener"}
	address, err := netip.ParseAddrPort(listener.GetAddress())
	if err != nil {
		l.report.fail(at.field("address"), "must be %s", formOf(fieldOf(listener, "address")))
	} else if !address.Addr().IsLoopback() && !slices.ContainsFunc(config.GetKeys(), isEnabled) {
		l.report.fail(at.field("address"),
			"%s can be reached from other machines, and there is no key: anybody could use the providers; add one under keys, or listen on 127.0.0.1", listener.GetAddress())
	}
	if size, ok := parseSize(listener.GetMaxRequestBody()); !ok || size < 1<<10 || size > maxRequestBody {
		l.report.fail(at.field("max_request_body"), "must be a size from 1KiB to 256MiB")
	}
	if listener.GetTls() != nil {
		l.checkCertificate(listener.GetTls(), at.field("tls"))
	}
}

func isEnabled(key *configpb.Key) bool { return !key.GetDisabled() }

func (l *loader) checkCertificate(files *configpb.ServerTLS, at path) {
	chain, ok := l.readNamed(files.GetCertificateFile(), at.field("certificate_file"))
	key, keyOK := l.readNamed(files.GetPrivateKeyFile(), at.field("private_key_file"))
	if !ok || !keyOK {
		return
	}
	if _, err := tls.X509KeyPair(chain, key); err != nil {
		l.report.fail(at, "the certificate and the private key do not serve together: %v", err)
	}
}

func (l *loader) checkProvider(slug string, provider *configpb.Provider) {
	at := path{".providers"}.key(slug)
	if !l.report.isFaulty(at.field("preset")) {
		if provider.GetDialect() == configpb.Dialect_DIALECT_UNSPECIFIED {
			names := slices.Sorted(maps.Keys(l.known.GetProviders()))
			l.report.fail(at.field("dialect"), "is missing: a provider of your own sets dialect and base_url, and %q is no preset; %s",
				slug, suggest(slug, names))
		}
		if provider.GetBaseUrl() == "" {
			l.report.fail(at.field("base_url"), "is missing; it must be %s", formOf(fieldOf(provider, "base_url")))
		}
	}
	l.checkBaseURL(provider, at)
	l.checkQuirks(provider, at.field("quirks"))
	for name := range provider.GetHeaders() {
		l.checkHeader(name, at.field("headers").key(name))
	}
	if interval := provider.GetHealthCheck().GetInterval(); interval != nil && interval.AsDuration() != 0 && interval.AsDuration() < time.Second {
		l.report.fail(at.field("health_check").field("interval"), "must be at least 1s, or 0s for no check")
	}
	if ca, ok := l.readNamed(provider.GetCaFile(), at.field("ca_file")); ok && !x509.NewCertPool().AppendCertsFromPEM(ca) {
		l.report.fail(at.field("ca_file"), "%s holds no PEM certificate", provider.GetCaFile())
	}
}

// checkQuirks refuses quirks that nothing would read, and names that would be in a
// request twice. The two bounds on tokens are one.
func (l *loader) checkQuirks(provider *configpb.Provider, at path) {
	quirks := provider.GetQuirks()
	switch provider.GetDialect() {
	case configpb.Dialect_DIALECT_UNSPECIFIED, configpb.Dialect_DIALECT_OPENAI, configpb.Dialect_DIALECT_AZURE:
	default:
		if quirks != nil {
			l.report.fail(at, "are of Chat Completions, and this provider speaks another dialect; they need dialect: openai or azure")
		}
	}
	renamed := map[string]string{}
	for _, field := range slices.Sorted(maps.Keys(quirks.GetRename())) {
		name, first := quirks.GetRename()[field], strings.Replace(field, "max_completion_tokens", "max_tokens", 1)
		if other, taken := renamed[name]; taken && other != first {
			l.report.fail(at.field("rename").key(field), "is %q, as is %s: two fields of one request cannot have the same name", name, other)
		}
		renamed[name] = first
	}
}

// baseEndings are how base URLs of clouds end, where the first try of most is wrong.
var baseEndings = map[configpb.Dialect][]string{
	configpb.Dialect_DIALECT_ANTHROPIC_VERTEX: {"/publishers/anthropic"},
	configpb.Dialect_DIALECT_AZURE:            {"/openai", "/openai/v1"},
}

func (l *loader) checkBaseURL(provider *configpb.Provider, parent path) {
	at := parent.field("base_url")
	if provider.GetBaseUrl() == "" || l.report.isFaulty(at) {
		return
	}
	base, err := url.Parse(provider.GetBaseUrl())
	if err != nil || base.Hostname() == "" {
		l.report.fail(at, "must be %s", formOf(fieldOf(provider, "base_url")))
		return
	}
	if provider.GetDialect() == configpb.Dialect_DIALECT_OLLAMA && strings.TrimSuffix(base.Path, "/") == openAIPath {
		l.report.fail(at, "ends in /v1, where Ollama speaks OpenAI's dialect: end it in /api, or set dialect: openai")
	}
	if ends := baseEndings[provider.GetDialect()]; ends != nil && !slices.ContainsFunc(ends, func(end string) bool {
		return strings.HasSuffix(strings.TrimRight(base.Path, "/"), end)
	}) {
		l.report.warn(at, "usually ends in %s for this dialect", enumerate(ends, "or"))
	}
	if call := callIn(base.Path); call != "" {
		l.report.warn(at, "ends in %s, which the gateway adds itself; end it before that", call)
	}
	if base.Scheme == "http" && provider.GetCredential() != nil && !isLocal(base.Hostname()) {
		l.report.warn(at, "the credential is sent to %s without TLS; prefer https", base.Hostname())
	}
}

// callIn is the path of a single call at the end of a base URL's path, "" if none is
// there. Whoever copies an address from a vendor's example has it.
func callIn(path string) string {
	for _, call := range []string{"/chat/completions", "/completions", "/messages", "/responses", "/embeddings"} {
		if strings.HasSuffix(strings.TrimRight(path, "/"), call) {
			return call
		}
	}
	return ""
}

// isLocal reports whether a host is this machine or in a private network.
func isLocal(host string) bool {
	address, err := netip.ParseAddr(host)
	if err != nil {
		// A name without a dot is resolved inside a private network only.
		return !strings.Contains(host, ".") || strings.HasSuffix(host, ".internal") || strings.HasSuffix(host, ".local")
	}
	return address.IsLoopback() || address.IsPrivate() || address.IsLinkLocalUnicast()
}

// checkHeader refuses the headers that belong to the connection or to Envoy.
func (l *loader) checkHeader(name string, at path) {
	switch lower := strings.ToLower(name); {
	case slices.Contains([]string{"host", "connection", "content-length", "transfer-encoding", "te", "upgrade", "keep-alive", "content-type", "accept-encoding"}, lower),
		strings.HasPrefix(lower, "x-envoy-"):
		l.report.fail(at, "is set by the gateway itself; remove it")
	case isSecretHeader(lower):
		l.report.warn(at, "looks like a secret in clear; prefer credential")
	}
}

// isSecretHeader reports whether a header's value is probably a secret. It
// takes lower case.
func isSecretHeader(name string) bool {
	return slices.ContainsFunc([]string{"auth", "key", "token", "secret", "cookie", "password"}, func(part string) bool {
		return strings.Contains(name, part)
	})
}

func (l *loader) checkKeys(keys []*configpb.Key) {
	names, hashes := map[string]int{}, map[string]int{}
	for i, key := range keys {
		at := path{".keys"}.item(i)
		if first, ok := names[key.GetName()]; ok && key.GetName() != "" {
			l.report.fail(at.field("name"), "is the name of keys[%d] as well; names must differ", first)
		} else {
			names[key.GetName()] = i
		}
		if first, ok := hashes[key.GetHash()]; ok && key.GetHash() != "" {
			l.report.fail(at.field("hash"), "is the hash of keys[%d] as well; make another key with `switchyard keys create`", first)
		} else {
			hashes[key.GetHash()] = i
		}
		if expires := key.GetExpiresAt(); expires != "" {
			if _, err := time.Parse(time.RFC3339, expires); err != nil {
				l.report.fail(at.field("expires_at"), "must be %s", formOf(fieldOf(key, "expires_at")))
			}
		}
		for i, network := range key.GetAllowedIps() {
			if _, err := netip.ParsePrefix(network); err == nil {
				continue
			}
			if _, err := netip.ParseAddr(network); err != nil {
				l.report.fail(at.field("allowed_ips").item(i), "%q is neither an IP address nor a network such as 10.0.0.0/8", network)
			}
		}
	}
}

func (l *loader) checkRedis(redis *configpb.Redis) {
	if redis == nil {
		return
	}
	at := path{".redis", ".address"}
	host, port, err := net.SplitHostPort(redis.GetAddress())
	if number, wrong := strconv.ParseUint(port, 10, 16); err != nil || wrong != nil || host == "" || number == 0 {
		l.report.fail(at, "must be %s", formOf(fieldOf(redis, "address")))
	} else if redis.GetPassword() != nil && !redis.GetTls() && !isLocal(host) {
		l.report.warn(at, "the password is sent to %s without TLS; prefer tls: true", host)
	}
}

func (l *loader) checkLedger(ledger *configpb.Ledger) {
	if size, ok := parseSize(ledger.GetMaxJournal()); !ok || size < 1<<20 {
		l.report.fail(path{".ledger", ".max_journal"}, "must be at least 1MiB")
	}
}

func (l *loader) checkCache(config *configpb.Config) {
	cache, at := config.GetCache(), path{".cache"}
	if size, ok := parseSize(cache.GetMaxSize()); !ok || size < 1<<20 {
		l.report.fail(at.field("max_size"), "must be at least 1MiB")
	}
	if size, ok := parseSize(cache.GetMaxEntry()); !ok || size < 1<<10 || size > maxCacheEntry {
		l.report.fail(at.field("max_entry"), "must be a size from 1KiB to 16MiB")
	}
	if cache.GetRedis() && config.GetRedis() == nil {
		l.report.fail(at.field("redis"), "needs a Redis: set redis.address")
	}
}

// checkMemory wants room for a usual request: without any, they are served one by one.
func (l *loader) checkMemory(memory *configpb.Memory) {
	for name, text := range map[protoreflect.Name]string{"requests": memory.GetRequests(), "answers": memory.GetAnswers()} {
		if size, ok := parseSize(text); text != "" && (!ok || size < 1<<20) {
			l.report.fail(path{".memory"}.field(name), "must be at least 1MiB")
		}
	}
}

func (l *loader) checkContent(config *configpb.Config) {
	for i, key := range config.GetKeys() {
		if key.GetStoreContent() && config.GetLedger().GetDisabled() {
			l.report.warn(path{".keys"}.item(i).field("store_content"), "stores nothing without a ledger; remove ledger.disabled")
		}
	}
}

func (l *loader) checkFetch(settings *configpb.Fetch) {
	at := path{".fetch"}
	if size, ok := parseSize(settings.GetMaxSize()); !ok || size < 1<<10 || size > maxRequestBody {
		l.report.fail(at.field("max_size"), "must be a size from 1KiB to 256MiB")
	}
	for i, entry := range settings.GetAllow() {
		// The schema's pattern tells names from addresses, not whether one is right.
		var err error
		if strings.Contains(entry, "/") {
			_, err = netip.ParsePrefix(entry)
		} else if strings.Contains(entry, ":") {
			_, err = netip.ParseAddr(entry)
		}
		if err != nil && !l.report.isFaulty(at.field("allow").item(i)) {
			l.report.fail(at.field("allow").item(i), "must be %s", formOf(fieldOf(settings, "allow")))
		}
	}
}

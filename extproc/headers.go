package extproc

import (
	"crypto/sha256"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// Headers between the processor and Envoy's two routers. The listener strips
// them from what clients send.
const (
	// headerCluster names the provider cluster of an attempt.
	headerCluster = "x-switchyard-cluster"
	// headerFailover on a response makes the outer router start the next attempt.
	headerFailover = "x-switchyard-failover"
	// headerStart is when the client's request began, in seconds: the same for
	// all attempts at it.
	headerStart = "x-switchyard-start"
	// headerClient is the client's IP address.
	headerClient = "x-switchyard-client"
	// headerHeadersTimeout is the inner router's limit on response headers, in
	// milliseconds.
	headerHeadersTimeout = "x-envoy-upstream-rq-per-try-timeout-ms"
	// metadataNamespace holds what the access log shows of an attempt.
	metadataNamespace = "switchyard"

	userAgent = "switchyard"
)

// readHeaders indexes headers by their lower-case names. Of a repeated header
// the first counts: Envoy refuses repeated pseudo-headers itself, and a second
// authorization must not override one that a filter before us has seen.
func readHeaders(message *extprocv3.HttpHeaders) map[string]string {
	list := message.GetHeaders().GetHeaders()
	headers := make(map[string]string, len(list))
	for _, h := range list {
		if _, repeated := headers[h.GetKey()]; !repeated {
			headers[h.GetKey()] = headerValue(h)
		}
	}
	return headers
}

func headerValue(h *corev3.HeaderValue) string {
	if raw := h.GetRawValue(); len(raw) > 0 {
		return string(raw)
	}
	return h.GetValue()
}

// attribute is one of the values that Envoy sends along with response headers,
// or "" if it has none.
func attribute(message *extprocv3.ProcessingRequest, name string) string {
	return message.GetAttributes()["envoy.filters.http.ext_proc"].GetFields()[name].GetStringValue()
}

// generationID is derived from the request id and the time at which the request
// came in, so that every attempt at it, on any replica, gives the same (row 1).
func (a *attempt) generationID() string {
	if a.generated == "" {
		a.generated = generationID(a.requestID, a.started)
	}
	return a.generated
}

func generationID(requestID string, started time.Time) string {
	const (
		alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		length   = 20
	)
	seed := append([]byte(requestID), '/')
	sum := sha256.Sum256(strconv.AppendInt(seed, started.UnixNano(), 10))
	id := strconv.AppendInt([]byte("gen-"), started.Unix(), 10)
	id = append(id, '-')
	for _, b := range sum[:length] {
		id = append(id, alphabet[int(b)%len(alphabet)])
	}
	return string(id)
}

// startTime reads seconds with a fraction, as %START_TIME(%s.%6f)% writes them.
func startTime(text string, fallback time.Time) time.Time {
	at, err := strconv.ParseFloat(text, 64)
	if err != nil || at <= 0 {
		return fallback
	}
	return time.UnixMicro(int64(at * 1e6))
}

// crossOrigin lets scripts of any web page read the answer (row 197): the key is
// in a header, and no page has one that it was not given. A gateway without keys
// gives no page anything.
func (a *attempt) crossOrigin() []dialect.Header {
	if a.policy.Keys.Open() {
		return nil
	}
	return []dialect.Header{
		{Name: "access-control-allow-origin", Value: "*"},
		{Name: "access-control-expose-headers", Value: "X-Generation-Id, X-Provider-Name, X-Request-Id, " +
			"Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, " +
			"X-OpenRouter-Cache-Status, X-OpenRouter-Cache-Age, X-OpenRouter-Cache-TTL, X-OpenRouter-Cache-Source-Id"},
	}
}

// fromForeignPage tells whether a script of a web page that is not on this
// machine makes the request. Behind a gateway without keys it could spend money
// unseen: a plain POST needs no preflight.
func fromForeignPage(origin string) bool {
	if origin == "" {
		return false
	}
	page, err := url.Parse(origin)
	if err != nil || page.Hostname() == "" {
		return true // "null", of a file or a sandbox
	}
	address, err := netip.ParseAddr(page.Hostname())
	return page.Hostname() != "localhost" && (err != nil || !address.IsLoopback())
}

// retryHeaders are the HTTP headers of an error that names a time (section 5.5).
func retryHeaders(told *dialect.Error) []dialect.Header {
	if listed, ok := told.Metadata["headers"].(map[string]string); ok {
		var headers []dialect.Header
		for _, name := range []string{"Retry-After", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"} {
			if value := listed[name]; value != "" {
				headers = append(headers, dialect.Header{Name: strings.ToLower(name), Value: value})
			}
		}
		return headers
	}
	if told.Availability != nil && told.Availability.RetryAfter > 0 {
		return []dialect.Header{{Name: "retry-after", Value: strconv.FormatInt(told.Availability.RetryAfter, 10)}}
	}
	return nil
}

func atoi(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return n
}

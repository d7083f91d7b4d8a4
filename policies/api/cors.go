package api

import (
	"net"
	"net/http"
	"net/url"
	"strings"
)

// What browsers may send and read (spec section 0, row 197).
var (
	allowedMethods = "GET, POST, PUT, PATCH, DELETE, OPTIONS"
	allowedHeaders = strings.Join([]string{
		"Authorization", "X-Api-Key", "X-Goog-Api-Key", "X-Goog-Api-Client", "Content-Type", "Accept",
		"HTTP-Referer", "X-Title", "X-OpenRouter-Title", "X-OpenRouter-Categories", "X-OpenRouter-App-Visibility",
		"X-Session-Id", "Idempotency-Key", "traceparent",
		"X-OpenRouter-Metadata", "X-OpenRouter-Cache", "X-OpenRouter-Cache-TTL", "X-OpenRouter-Cache-Clear",
		"Anthropic-Version", "Anthropic-Beta", "X-Anthropic-Beta", "Anthropic-Dangerous-Direct-Browser-Access",
		"OpenAI-Organization", "OpenAI-Project",
		// A wildcard within a name would be taken for a name.
		"X-Stainless-Arch", "X-Stainless-Helper-Method", "X-Stainless-Lang", "X-Stainless-OS",
		"X-Stainless-Package-Version", "X-Stainless-Retry-Count", "X-Stainless-Runtime",
		"X-Stainless-Runtime-Version", "X-Stainless-Timeout",
	}, ", ")
	exposedHeaders = "X-Generation-Id, X-Provider-Name, X-Request-Id, Retry-After"
)

// crossOrigin answers preflight requests of browsers, on every path, and lets
// pages read the answers. At a gateway without keys it refuses what a page from
// elsewhere would change: for a POST of plain text, a browser asks nobody first.
func (s *server) crossOrigin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		header := w.Header()
		if allowed := s.allowedOrigin(origin); allowed != "" {
			header.Set("Access-Control-Allow-Origin", allowed)
			header.Set("Access-Control-Expose-Headers", exposedHeaders)
		}
		if s.Keys().Open() {
			header.Add("Vary", "Origin")
		}
		if s.Keys().Open() && origin != "" && !local(origin) && writes(r.Method) {
			refuse(w, http.StatusForbidden, "permission_denied", "A gateway without keys does not serve web pages from elsewhere. Make a key: switchyard keys create.")
			return
		}
		if r.Method != http.MethodOptions || origin == "" {
			next.ServeHTTP(w, r)
			return
		}
		if header.Get("Access-Control-Allow-Origin") != "" {
			header.Set("Access-Control-Allow-Methods", allowedMethods)
			header.Set("Access-Control-Allow-Headers", allowedHeaders)
			header.Set("Access-Control-Max-Age", "86400")
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

// allowedOrigin is every origin at a gateway with keys: a page that has no key
// can do nothing. A gateway without keys listens on loopback, and any page in
// the owner's browser can reach it there: only pages from the same machine may.
func (s *server) allowedOrigin(origin string) string {
	switch {
	case !s.Keys().Open():
		return "*"
	case origin != "" && local(origin):
		return origin
	}
	return ""
}

// writes reports whether a method may change something (RFC 9110 section 9.2.1).
func writes(method string) bool {
	return method != http.MethodGet && method != http.MethodHead && method != http.MethodOptions
}

func local(origin string) bool {
	page, err := url.Parse(origin)
	if err != nil {
		return false
	}
	host := page.Hostname()
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || net.ParseIP(host).IsLoopback()
}

// Package api is the HTTP API beside inference: the catalog, health and metrics.
// Envoy sends it every path that is not inference.
package api

import (
	"net/http"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/switchyard/switchyard/policies/catalog"
)

// Options are what the API shows; all are needed.
type Options struct {
	// Catalog returns the running one. It is called once for each request.
	Catalog func() *catalog.Catalog
	// Checks says how the parts of the gateway are.
	Checks func() []Check
	// Gatherer holds the metrics.
	Gatherer prometheus.Gatherer
}

// longest is how long a request may take.
const longest = 20 * time.Second

// New returns the API. It is safe for concurrent use.
func New(options Options) http.Handler {
	mux := http.NewServeMux()
	for _, prefix := range []string{"/api/v1", "/v1"} {
		mux.HandleFunc("GET "+prefix+"/models", options.models)
		mux.HandleFunc("GET "+prefix+"/models/count", options.modelCount)
		mux.HandleFunc("GET "+prefix+"/model/{id...}", options.model)
	}
	mux.HandleFunc("GET /health", options.health)
	mux.HandleFunc("GET /health/ready", options.health)
	mux.HandleFunc("GET /health/live", live)
	mux.Handle("GET /metrics", promhttp.HandlerFor(options.Gatherer, promhttp.HandlerOpts{}))
	return cors(errorsAsJSON(http.TimeoutHandler(mux, longest, `{"error":{"code":504,"message":"The request took too long."}}`)))
}

// Error writes the API's error shape (spec section 5.1).
func writeError(w http.ResponseWriter, status int, message string) {
	type content struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
	writeJSON(w, status, struct {
		Error content `json:"error"`
	}{content{status, message}})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		http.Error(w, `{"error":{"code":500,"message":"Internal Server Error"}}`, http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

// errorsAsJSON gives the mux's own answers, 404 and 405, the API's shape.
func errorsAsJSON(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(&jsonErrors{ResponseWriter: w, path: r.URL.Path}, r)
	})
}

// jsonErrors replaces a text/plain error by the API's shape.
type jsonErrors struct {
	http.ResponseWriter
	path     string
	replaced bool
}

func (e *jsonErrors) WriteHeader(status int) {
	if status < 400 || e.Header().Get("Content-Type") == "application/json" {
		e.ResponseWriter.WriteHeader(status)
		return
	}
	e.replaced = true
	e.Header().Del("Content-Length")
	e.Header().Del("X-Content-Type-Options")
	message := http.StatusText(status)
	switch status {
	case http.StatusNotFound:
		message = "There is nothing at " + e.path + ". Inference is served by POST /api/v1/chat/completions."
	case http.StatusMethodNotAllowed:
		message = "This path does not take that method. Allowed: " + e.Header().Get("Allow") + "."
	}
	writeError(e.ResponseWriter, status, message)
}

func (e *jsonErrors) Write(text []byte) (int, error) {
	if e.replaced {
		return len(text), nil
	}
	return e.ResponseWriter.Write(text)
}

// cors lets browsers in (spec section 0, row 197): the key is in a header, not
// in a cookie, so no page can use what it does not have.
func cors(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Expose-Headers", "X-Generation-Id, X-Provider-Name, X-Request-Id")
		if r.Method == http.MethodOptions {
			h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE, OPTIONS")
			h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, X-Api-Key, HTTP-Referer, X-Title, X-OpenRouter-Title, "+
				"X-OpenRouter-Categories, X-Session-Id, Idempotency-Key, traceparent, "+r.Header.Get("Access-Control-Request-Headers"))
			h.Set("Access-Control-Max-Age", "86400")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

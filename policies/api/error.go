package api

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
)

// failure is an error in the spec's shape (section 5.1).
type failure struct {
	Code     int             `json:"code"`
	Message  string          `json:"message"`
	Metadata failureMetadata `json:"metadata"`
}

type failureMetadata struct {
	ErrorType string `json:"error_type"`
}

func refuse(w http.ResponseWriter, status int, errorType, message string) {
	reply(w, status, struct {
		Error failure `json:"error"`
	}{failure{status, message, failureMetadata{errorType}}})
}

// reply writes body, which always marshals, as JSON.
func reply(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		panic(fmt.Sprintf("api: %T does not marshal: %v", body, err))
	}
	replyText(w, status, "application/json", append(text, '\n'))
}

// replyLive writes an answer that may be another one the next moment.
func replyLive(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Cache-Control", "no-store")
	reply(w, status, body)
}

func replyText(w http.ResponseWriter, status int, contentType string, text []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write(text) // if it fails the client is gone, and nobody is left to tell
}

// inJSON puts the errors of the mux itself, 404 and 405, into the spec's shape.
func (s *server) inJSON(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		said := &headersOnly{header: make(http.Header)}
		handler.ServeHTTP(said, r)
		if said.status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", said.header.Get("Allow"))
			s.refuseAt(w, r, said.status, "invalid_request", fmt.Sprintf("Method %s is not allowed here. Use %s.", r.Method, said.header.Get("Allow")))
			return
		}
		s.refuseAt(w, r, http.StatusNotFound, "not_found", "There is nothing at this path. The API is under /api/v1.")
	})
}

// headersOnly listens to what a handler says, and drops the body.
type headersOnly struct {
	header http.Header
	status int
}

func (h *headersOnly) Header() http.Header            { return h.header }
func (h *headersOnly) WriteHeader(status int)         { h.status = status }
func (h *headersOnly) Write(body []byte) (int, error) { return len(body), nil }

// bound limits the size of a request and the time of its answer.
func bound(limit time.Duration, next http.Handler) http.Handler {
	const message = `{"error":{"code":503,"message":"The gateway took too long to answer.","metadata":{"error_type":"timeout"}}}` + "\n"
	timed := http.TimeoutHandler(next, limit, message)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		most := largest(r)
		if r.ContentLength > most {
			w.Header().Set("Connection", "close") // the body is still on its way
			message := fmt.Sprintf("The request body is larger than %d bytes.", most)
			if countsTokens(r) {
				refuseMessage(w, http.StatusRequestEntityTooLarge, "request_too_large", message)
			} else {
				refuse(w, http.StatusRequestEntityTooLarge, "payload_too_large", message)
			}
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, most)
		// For the message above; every other answer replaces it.
		w.Header().Set("Content-Type", "application/json")
		timed.ServeHTTP(w, r)
	})
}

// maskPanics answers row 88: 500, and nothing of the inside. The panic goes on
// to the server, which logs it.
func maskPanics(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if cause := recover(); cause != nil {
				refuse(w, http.StatusInternalServerError, "server", "Internal Server Error")
				_ = http.NewResponseController(w).Flush()
				panic(cause)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

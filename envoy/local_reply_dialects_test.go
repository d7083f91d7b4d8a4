package envoy_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/switchyard/switchyard/extproc/dialect/registry"
	"github.com/switchyard/switchyard/xds"
)

// envoysError is an error in words that no processor has said.
type envoysError struct {
	status  int
	message string
	kind    string // the spec's error_type (section 5.2)
	// anthropic and google are its type and its status there.
	anthropic, google string
}

// The envelopes in which the SDKs of each API look for an error.
func (e envoysError) openAI() string {
	return fmt.Sprintf(`{"error":{"code":%d,"message":%q,"metadata":{"error_type":%q}}}`, e.status, e.message, e.kind)
}

func (e envoysError) responses() string {
	return fmt.Sprintf(`{"error":{"code":%d,"message":%q},"error_type":%q}`, e.status, e.message, e.kind)
}

func (e envoysError) messages() string {
	return fmt.Sprintf(`{"type":"error","error":{"type":%q,"message":%q,"error_type":%q},"request_id":null}`, e.anthropic, e.message, e.kind)
}

func (e envoysError) gemini() string {
	return fmt.Sprintf(`{"error":{"code":%d,"message":%q,"status":%q,"details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":%q,"domain":"switchyard"}]}}`,
		e.status, e.message, e.google, strings.ToUpper(e.kind))
}

// pathsOfDialects are some that clients ask for, with what they read there.
var pathsOfDialects = map[string]func(envoysError) string{
	"/api/v1/chat/completions":                       envoysError.openAI,
	"/v1/embeddings":                                 envoysError.openAI,
	"/v1/messages?beta=true":                         envoysError.messages,
	"/api/v1/responses":                              envoysError.responses,
	"/v1beta/models/a/b:generateContent":             envoysError.gemini,
	"/api/v1/models/b:streamGenerateContent?alt=sse": envoysError.gemini,
}

var (
	restarting = envoysError{503, "The gateway is restarting or overloaded. Try again in a moment.", "provider_overloaded", "overloaded_error", "UNAVAILABLE"}
	tookLong   = envoysError{504, "The request took too long.", "timeout", "timeout_error", "DEADLINE_EXCEEDED"}
)

// TestErrorsOfEnvoyAreInTheClientsDialect on every path, whichever of Envoy's listeners
// has found them, and whatever path the processor has put in place of the client's.
func TestErrorsOfEnvoyAreInTheClientsDialect(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		limit    func(*xds.Inputs)
		script   candidate
		declared int  // bytes of the body, none of which is sent; 0 sends a whole one
		died     bool // the processor is gone before the request
		dies     bool // the processor goes when the provider has the request
		want     envoysError
	}{
		"the body is too large": {
			declared: 1<<20 + 1,
			want:     envoysError{413, "The request body is too large.", "payload_too_large", "request_too_large", "INVALID_ARGUMENT"},
		},
		"the body does not come": {
			declared: 10,
			script:   candidate{cluster: "silent"},
			limit:    func(in *xds.Inputs) { in.RequestTimeout = 300 * time.Millisecond },
			want:     envoysError{408, "The request was not received in time. Send it again, and faster.", "timeout", "timeout_error", "DEADLINE_EXCEEDED"},
		},
		"no processor": {died: true, want: restarting},
		"the processor dies": {
			script: candidate{cluster: "silent", path: "/v1/messages"},
			dies:   true,
			want:   restarting,
		},
		"nothing moves": {
			script: candidate{cluster: "silent", path: "/v1/messages"},
			limit:  func(in *xds.Inputs) { in.StreamIdleTimeout = 300 * time.Millisecond },
			want:   tookLong,
		},
		"nobody is where the processor sends it": {script: candidate{cluster: "missing", path: "/v1/messages"}, want: restarting},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked sync.WaitGroup
			asked.Add(len(pathsOfDialects))
			s := newStage(t, script{test.script}, func(in *xds.Inputs) {
				in.MaxRequestBytes = 1 << 20
				in.InferencePaths, in.ErrorBody = registry.Clients().Paths(), registry.ErrorBody
				in.Clusters = []xds.Cluster{serve(t, "silent", func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body)
					asked.Done()
					<-r.Context().Done()
				})}
				if test.limit != nil {
					test.limit(in)
				}
			})
			if test.died {
				s.stopGRPC()
			}
			var answered sync.WaitGroup
			for path, shape := range pathsOfDialects {
				answered.Go(func() {
					length, body := test.declared, ""
					if length == 0 {
						length, body = 5, "hello"
					}
					status, said := exchange(t, s, fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", path, length, body))
					if want := shape(test.want); status != test.want.status || string(said) != want {
						t.Errorf("%s: got %d %s\nwant %s", path, status, said, want)
					}
				})
			}
			if test.dies {
				asked.Wait()
				s.stopGRPC()
			}
			answered.Wait()
		})
	}
}

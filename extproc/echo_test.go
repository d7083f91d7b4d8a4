package extproc

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/extproc/dialect/responses"
	"github.com/switchyard/switchyard/policies/config/configpb"
)

// Row 115: whatever puts a provider's credential into a body, the client does not get it.
func TestRow115NoEchoOfCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, onlyA, func(cfg *configpb.Config, _ *Policy) {
			cfg.Providers["a"].Headers = map[string]string{"x-team": "sesame-open"}
		})
		e, _ := g.asked("1", strings.Replace(withMembers(streamOf, `"debug":{"echo_upstream_body":true}`), "hello", "say sesame-open", 1))
		e.replies("200", viaUpstream, "content-type", "text/event-stream")
		e.sends(role+token+stop+counted+done, true)
		e.begins()
		got := e.rest()
		if strings.Contains(got, "sesame") || !strings.Contains(got, `"echo_upstream_body":{"model":"x-large"`) || !strings.Contains(got, "say [redacted]") {
			t.Errorf("the client gets %s", got)
		}
	})
}

// An echo is one event, however its body is laid out.
func TestEchoIsOneEvent(t *testing.T) {
	for _, client := range []dialect.Echoer{openai.Client{}, responses.Client{}} {
		got := string(client.Echo(nil, dialect.Meta{ID: "gen-1", Preceding: 3}, []byte("{\"a\":\r\n\n1}")))
		if !strings.HasPrefix(got, "data: {") || !strings.HasSuffix(got, "\"debug\":{\"echo_upstream_body\":{\"a\":   1}}}\n\n") || strings.Count(got, "\n") != 2 {
			t.Errorf("%T: %q", client, got)
		}
	}
}

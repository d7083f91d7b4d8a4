package extproc

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// onlyB leaves the endpoint that speaks Messages.
func onlyB(cfg *configpb.Config, _ *Policy) {
	cfg.Models["m/x"].Endpoints = cfg.Models["m/x"].Endpoints[1:]
}

func withMembers(body, members string) string { return strings.Replace(body, "{", "{"+members+",", 1) }

// Known-failures, wanted 6: who asks is told what the provider did not get.
func TestDroppedFieldsAreTold(t *testing.T) {
	for members, want := range map[string]string{
		`"temperature":1`: `"dropped_fields":[]`,
		`"seed":7,"logit_bias":{"1":2},"unheard_of":1`: `"dropped_fields":["logit_bias","seed","unheard_of"]`,
	} {
		synctest.Test(t, func(t *testing.T) {
			g := newGateway(t, onlyB)
			e, _ := g.askedAs("id", "1", withMembers(wholeOf, members), "x-openrouter-metadata", "enabled")
			e.replies("200", viaUpstream, "content-type", "application/json")
			e.sends(`{"id":"msg_1","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}`, true)
			e.begins()
			if got := e.rest(); !strings.Contains(got, want) {
				t.Errorf("%s: the client gets %s, without %s", members, got, want)
			}
		})
	}
}

// Row 19: what the endpoint takes, but not together, is refused by name and not left out.
func TestRow19ParametersThatDoNotGoTogether(t *testing.T) {
	const together = `"temperature":0.5,"top_p":0.5`
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, onlyB)
		e := g.attempt("1", "x-request-id", "required")
		e.asks(withMembers(wholeOf, together+`,"provider":{"require_parameters":true}`), true)
		if got := e.refused(); got.status != 400 || !strings.Contains(got.error.Message, "'top_p'") {
			t.Errorf("required: %d %s", got.status, got.error.Message)
		}
		e, upstream := g.askedAs("wished", "1", withMembers(wholeOf, together))
		if strings.Contains(upstream.body, "top_p") {
			t.Errorf("wished: the provider gets %s", upstream.body)
		}
		e.hangUp()
	})
}

package extproc

import (
	"slices"
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

// Row 19: every parameter of a request is required, also one that no catalog lists.
func TestRow19ParametersOutsideTheCatalogAreRequired(t *testing.T) {
	for _, member := range []string{`"n":2`, `"modalities":["text","image"]`, `"metadata":{"a":"b"}`, `"store":true`, `"prompt_cache_key":"k"`, `"unheard_of":1`} {
		synctest.Test(t, func(t *testing.T) {
			g := newGateway(t, onlyB)
			e := g.attempt("1")
			e.asks(withMembers(wholeOf, member+`,"provider":{"require_parameters":true}`), true)
			name, _, _ := strings.Cut(member, ":")
			if got := e.refused(); got.status != 400 && got.status != 404 || !strings.Contains(got.error.Message, strings.Trim(name, `"`)) {
				t.Errorf("%s: %d %s", member, got.status, got.error.Message)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) { // those that the gateway answers to are none
		e, _ := newGateway(t, onlyB).asked("1", withMembers(wholeOf, `"provider":{"require_parameters":true},"user":"u","session_id":"s","trace":{},"models":["m/x"]`))
		e.hangUp()
	})
}

// Row 19: what is missing is told by the name of a parameter, whatever a dialect calls it,
// and another endpoint is asked first.
func TestRow19RequiredParametersByAnyName(t *testing.T) {
	const forced = `"reasoning_effort":"high","tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"required","provider":{"require_parameters":true}`
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, onlyB)
		e := g.attempt("1")
		e.asks(withMembers(wholeOf, forced), true)
		if got := e.refused(); got.status != 400 || !strings.Contains(got.error.Message, "'reasoning'") || got.set[headerFailover] != "" {
			t.Errorf("alone: %d %s", got.status, got.error.Message)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, func(cfg *configpb.Config, _ *Policy) { slices.Reverse(cfg.Models["m/x"].Endpoints) })
		e := g.attempt("1")
		e.asks(withMembers(wholeOf, forced), true)
		if got := e.refused(); got.set[headerFailover] == "" {
			t.Errorf("another is left: %d %s", got.status, got.error.Message)
		}
		next, upstream := g.asked("2", withMembers(wholeOf, forced))
		if !strings.Contains(upstream.body, "reasoning_effort") {
			t.Errorf("the next endpoint gets %s", upstream.body)
		}
		next.hangUp()
	})
	for field, parameter := range map[string]string{
		"generationConfig.seed": "seed", "generationConfig.thinkingConfig": "reasoning", "thinking.budget_tokens": "reasoning",
		"output_config.format": "response_format", "text.format": "response_format", "stop_sequences": "stop", "max_tokens": "max_completion_tokens",
		"generationConfig.topP": "top_p", "output_config.effort": "verbosity", "toolConfig": "tool_choice", "logit_bias": "logit_bias",
		"tools": "tools", "tools.0": "tools", "tools.strict": "tools",
	} {
		if !isParameter(field, []string{parameter}) || isParameter(field, []string{"another"}) {
			t.Errorf("%s is not %s", field, parameter)
		}
	}
}

// Row 19: a tool that is not the provider's is left out only where tools are not required.
func TestRow19EachToolIsRequired(t *testing.T) {
	const tools = `"tools":[{"type":"function","function":{"name":"f"}},{"type":"computer_use_preview"}]`
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, onlyB)
		e := g.attempt("1", "x-request-id", "required")
		e.asks(withMembers(wholeOf, tools+`,"provider":{"require_parameters":true}`), true)
		if got := e.refused(); got.status != 400 || !strings.Contains(got.error.Message, "'tools.1'") {
			t.Errorf("required: %d %s", got.status, got.error.Message)
		}
		e, upstream := g.askedAs("wished", "1", withMembers(wholeOf, tools))
		if strings.Contains(upstream.body, "computer_use") || !strings.Contains(upstream.body, `"tools":[{"name":"f"`) {
			t.Errorf("wished: the provider gets %s", upstream.body)
		}
		e.hangUp()
	})
}

// Row 100: what is asked for by an alias is said as the model can.
func TestRow100EffortIsRemapped(t *testing.T) {
	thinks := func(cfg *configpb.Config, _ *Policy) {
		cfg.Models["m/x"].Reasoning = &configpb.Reasoning{Mandatory: true, SupportedEfforts: []string{"high", "low"}}
		cfg.Aliases = map[string]string{"~m/latest": "m/x"}
	}
	for _, test := range []struct{ model, effort, want string }{
		{"~m/latest", "none", "low"}, {"m/x", "max", "high"}, {"m/x", "medium", "low"}, {"m/x", "low", "low"},
	} {
		synctest.Test(t, func(t *testing.T) {
			g := newGateway(t, onlyA, thinks)
			body := `{"model":"` + test.model + `","messages":[{"role":"user","content":"hi"}],"reasoning":{"effort":"` + test.effort + `"}}`
			e, upstream := g.asked("1", body)
			if !strings.Contains(upstream.body, `"reasoning_effort":"`+test.want+`"`) {
				t.Errorf("%s of %s: the provider gets %s", test.effort, test.model, upstream.body)
			}
			e.hangUp()
		})
	}
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, onlyA, thinks)
		e := g.attempt("1")
		e.asks(`{"model":"m/x","messages":[{"role":"user","content":"hi"}],"reasoning":{"enabled":false}}`, true)
		got := e.refused()
		if got.status != 400 || got.error.Message != "Reasoning is mandatory for this endpoint and cannot be disabled." || strings.Contains(got.body, "availability") {
			t.Errorf("%d %s", got.status, got.body)
		}
	})
}

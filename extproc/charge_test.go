package extproc

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// What an endpoint charges besides tokens is counted where it can be told: images in
// the request, searches by the provider's own word (known-failures 7).
func TestImagesAndSearchesAreCharged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, func(cfg *configpb.Config, _ *Policy) {
			endpoint := cfg.Models["m/x"].Endpoints[0]
			endpoint.Prices = &configpb.Prices{Prompt: "1", Completion: "10", Image: "0.002", WebSearch: "0.01"}
			cfg.Models["m/x"].InputModalities = []string{"text", "image"}
		})
		const image = `{"type":"image_url","image_url":{"url":"https://pictures.example/1.png"}}`
		e, _ := g.asked("1", `{"model":"m/x","messages":[{"role":"user","content":[`+image+`,`+image+`]}]}`)
		e.replies("200", viaUpstream, "content-type", "application/json")
		e.sends(strings.Replace(wholeAnswer, `"total_tokens":14`, `"total_tokens":14,"num_search_queries":3`, 1), true)
		e.begins()
		if body := e.rest(); !strings.Contains(body, `"cost":0.03405`) || !strings.Contains(body, `"web_search_requests":3`) {
			t.Errorf("answer %s", body)
		}
		g.wantCount(2*0.002+3*0.01+costOf10And4, "cost_usd_total")
	})
}

// A provider that has no room in a tier may serve by the default one, and bills that
// (known-failures 5).
func TestRow132TierThatServedIsBilled(t *testing.T) {
	for _, test := range []struct {
		name, served string
		want         float64
	}{
		{"the tier asked for", `"service_tier":"priority",`, 10 * costOf10And4},
		{"no word of a tier", "", 10 * costOf10And4},
		{"the default tier", `"service_tier":"default",`, costOf10And4},
	} {
		for _, stream := range []bool{false, true} {
			t.Run(test.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					g := newGateway(t, func(cfg *configpb.Config, _ *Policy) {
						cfg.Models["m/x"].Endpoints[1] = &configpb.Endpoint{
							Provider: "a", Model: "x-large", ServiceTier: "priority", Prices: &configpb.Prices{Prompt: "10", Completion: "100"},
						}
					})
					request, answer := wholeOf, strings.Replace(wholeAnswer, "{", "{"+test.served, 1)
					if stream {
						request, answer = streamOf, role+token+strings.Replace(stop, "{", "{"+test.served, 1)+counted+done
					}
					e, upstream := g.asked("1", strings.Replace(request, "{", `{"service_tier":"priority",`, 1))
					if !strings.Contains(upstream.body, `"service_tier":"priority"`) {
						t.Fatalf("the provider is asked %s", upstream.body)
					}
					e.replies("200", viaUpstream, "content-type", map[bool]string{false: "application/json", true: "text/event-stream"}[stream])
					e.sends(answer, true)
					e.begins()
					e.rest()
					g.wantCount(test.want, "cost_usd_total")
				})
			})
		}
	}
}

// Zeros beside an answer are no count of it: it is estimated, like one without a count.
// Nothing but the answer's tokens being none is believed (row 91).
func TestCountOfNothingIsNone(t *testing.T) {
	const zeros = `{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}`
	whole := func(used string) (string, string) {
		return boundedOf, `{"choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":` + used + `}`
	}
	stream := func(used string) (string, string) {
		return streamOf, role + token + stop + "data: {\"choices\":[],\"usage\":" + used + "}\n\n" + done
	}
	for _, test := range []struct {
		name      string
		shape     func(string) (string, string)
		used      string
		estimated bool
		cost      string
	}{
		{"whole, none", whole, `null`, true, "0.000018"},
		{"whole, an empty object", whole, `{}`, true, "0.000018"},
		{"whole, zeros", whole, zeros, true, "0.000018"},
		{"whole, no completion", whole, `{"prompt_tokens":10,"completion_tokens":0,"total_tokens":10}`, false, "0.00001"},
		{"stream, an empty object", stream, `{}`, true, "0.000018"},
		{"stream, zeros", stream, zeros, true, "0.000018"},
		{"stream, no completion", stream, `{"prompt_tokens":10,"completion_tokens":0,"total_tokens":10}`, false, "0.00001"},
		{"translated, zeros", func(used string) (string, string) {
			return boundedOf, `{"id":"m","type":"message","role":"assistant","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":` + used + `}`
		}, `{"input_tokens":0,"output_tokens":0}`, true, "0.000018"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, b := withBooks(t, bounding, func(cfg *configpb.Config, _ *Policy) {
					if strings.HasPrefix(test.name, "translated") {
						cfg.Models["m/x"].Endpoints = cfg.Models["m/x"].Endpoints[1:]
					}
				})
				request, answer := test.shape(test.used)
				e, _ := g.asked("1", request)
				kind := "application/json"
				if request == streamOf {
					kind = "text/event-stream"
				}
				e.replies("200", viaUpstream, "content-type", kind)
				e.sends(answer, true)
				e.begins()
				if body := e.rest(); !strings.Contains(body, `"cost":`+test.cost+",") {
					t.Errorf("the client reads %s", body)
				}
				if got := b.only(t); got.Estimated != test.estimated || got.Cost().String() != test.cost {
					t.Errorf("estimated %v, cost %v", got.Estimated, got.Cost())
				}
			})
		})
	}
}

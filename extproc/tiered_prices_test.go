package extproc

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// known-failures 5: prices that depend on the prompt's length, the time of day and the
// tier that served meet in one answer, each at its very boundary. The length is the whole
// prompt's, whatever of it was cached, and also where the provider counts that apart; it
// is the provider's, since the gateway's own estimate here is of one word.
func TestTieredPricesAtTheirBoundaries(t *testing.T) {
	const million = 1e6
	clock := func(hour, minute, second int) string {
		return fmt.Sprint(time.Date(2026, 11, 25, hour, minute, second, 0, time.UTC).Unix())
	}
	for _, test := range []struct {
		name     string
		second   bool   // the provider of Messages answers
		counts   string // as the provider has them
		began    string
		priority bool
		served   string
		want     float64
	}{
		{name: "a prompt at the bound", counts: `{"prompt_tokens":200000,"completion_tokens":10}`, began: clock(12, 0, 0), want: 200000*1 + 10*10},
		{name: "one token more", counts: `{"prompt_tokens":200001,"completion_tokens":10}`, began: clock(12, 0, 0), want: 200001*2 + 10*15},
		{name: "nearly all of it cached", counts: `{"prompt_tokens":200001,"completion_tokens":10,"prompt_tokens_details":{"cached_tokens":200000}}`, began: clock(12, 0, 0), want: 1*2 + 200000*0.2 + 10*15},
		{name: "cached, at the bound", counts: `{"prompt_tokens":200000,"completion_tokens":10,"prompt_tokens_details":{"cached_tokens":199999}}`, began: clock(12, 0, 0), want: 1*1 + 199999*0.1 + 10*10},
		{name: "counted apart, at the bound", second: true, counts: `{"input_tokens":1,"cache_read_input_tokens":199999,"output_tokens":10}`, began: clock(12, 0, 0), want: 1*1 + 199999*0.1 + 10*10},
		{name: "counted apart, one token more", second: true, counts: `{"input_tokens":2,"cache_read_input_tokens":199999,"output_tokens":10}`, began: clock(12, 0, 0), want: 2*2 + 199999*0.2 + 10*15},
		{name: "before the cheap hours", counts: `{"prompt_tokens":10,"completion_tokens":10}`, began: clock(22, 59, 59), want: 10*1 + 10*10},
		{name: "as they begin", counts: `{"prompt_tokens":10,"completion_tokens":10}`, began: clock(23, 0, 0), want: 10*0.5 + 10*10},
		{name: "as they end", counts: `{"prompt_tokens":10,"completion_tokens":10}`, began: clock(3, 59, 59), want: 10*0.5 + 10*10},
		{name: "when they are over", counts: `{"prompt_tokens":10,"completion_tokens":10}`, began: clock(4, 0, 0), want: 10*1 + 10*10},
		{name: "a long prompt in the cheap hours", counts: `{"prompt_tokens":200001,"completion_tokens":10}`, began: clock(23, 0, 0), want: 200001*0.5 + 10*15},
		{name: "priority", priority: true, counts: `{"prompt_tokens":200001,"completion_tokens":10}`, began: clock(12, 0, 0), served: "priority", want: 200001*4 + 10*30},
		{name: "priority, within the bound", priority: true, counts: `{"prompt_tokens":200000,"completion_tokens":10}`, began: clock(12, 0, 0), served: "priority", want: 200000*3 + 10*20},
		{name: "priority that was not to be had", priority: true, counts: `{"prompt_tokens":200001,"completion_tokens":10}`, began: clock(23, 0, 0), served: "default", want: 200001*0.5 + 10*15},
	} {
		for _, stream := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/stream=%t", test.name, stream), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					g := newGateway(t, func(cfg *configpb.Config, _ *Policy) {
						prices := &configpb.Prices{Prompt: "1", Completion: "10", CacheRead: "0.1", Overrides: []*configpb.PriceOverride{
							{MinPromptTokens: 200_000, Prices: &configpb.Prices{Prompt: "2", Completion: "15", CacheRead: "0.2"}},
							{UtcStart: proto.Uint32(2300), UtcEnd: proto.Uint32(400), Prices: &configpb.Prices{Prompt: "0.5"}},
						}}
						endpoint := cfg.Models["m/x"].Endpoints[0]
						if test.second {
							endpoint = cfg.Models["m/x"].Endpoints[1]
						}
						endpoint.Prices = prices
						cfg.Models["m/x"].Endpoints = []*configpb.Endpoint{endpoint}
						if test.priority {
							cfg.Models["m/x"].Endpoints = append(cfg.Models["m/x"].Endpoints, &configpb.Endpoint{
								Provider: "a", Model: "x-large", ServiceTier: "priority", Prices: &configpb.Prices{Prompt: "3", Completion: "20", Overrides: []*configpb.PriceOverride{
									{MinPromptTokens: 200_000, Prices: &configpb.Prices{Prompt: "4", Completion: "30"}},
								}},
							})
						}
						cfg.Models["m/x"].ContextLength = 1 << 20
					})
					ask := map[bool]string{false: wholeOf, true: streamOf}[stream]
					if test.priority {
						ask = strings.Replace(ask, "{", `{"service_tier":"priority",`, 1)
					}
					e := g.attempt("1", "x-switchyard-start", test.began)
					e.asks(ask, true)
					e.forwarded()
					e.replies("200", viaUpstream, "content-type", map[bool]string{false: "application/json", true: "text/event-stream"}[stream])
					e.sends(answerOf(test.second, stream, test.counts, test.served), true)
					e.begins()
					if counted := usagesOf(t, e.rest()); len(counted) != 1 || fmt.Sprintf("%.9f", counted[0].Cost) != fmt.Sprintf("%.9f", test.want/million) {
						t.Errorf("the client is told of %+v, want %v", counted, test.want/million)
					}
					g.wantCount(test.want/million, "cost_usd_total")
				})
			})
		}
	}
}

// answerOf is an answer of the dialect of b or else of a, with its counts and tier.
func answerOf(messages, stream bool, counts, tier string) string {
	switch {
	case messages && stream:
		return "data: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"usage\":" + counts + "}}\n\n" +
			"data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"hi\"}}\n\n" +
			"data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":10}}\n\ndata: {\"type\":\"message_stop\"}\n\n"
	case messages:
		return `{"id":"m","type":"message","role":"assistant","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":` + counts + `}`
	case stream:
		last := `data: {"choices":[],"usage":` + counts + "}\n\n"
		if tier != "" {
			last = strings.Replace(last, "{", `{"service_tier":"`+tier+`",`, 1)
		}
		return role + token + stop + last + done
	}
	whole := `{"choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":` + counts + `}`
	if tier != "" {
		whole = strings.Replace(whole, "{", `{"service_tier":"`+tier+`",`, 1)
	}
	return whole
}

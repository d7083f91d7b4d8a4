package extproc

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/switchyard/switchyard/extproc/dialect/registry"
	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/money"
)

// known-failures 10: a client hangs up behind each event of a stream, of each kind of
// provider. There is one row of it, it is marked as broken off unless the answer was
// whole, and it costs what the provider bills: its own counts once they have come, and
// until then the prompt and what was said, no matter how little of it the client had.
func TestCutBehindEveryEvent(t *testing.T) {
	words := []string{"one", " two", " three", " four", " five"} // one token each
	messages := "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"usage\":{\"input_tokens\":8,\"output_tokens\":1}}}\n\n" +
		"event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n"
	chat, gemini, response := role, "", "data: {\"type\":\"response.created\",\"response\":{\"id\":\"r\"}}\n\n"
	for _, word := range words {
		chat += fmt.Sprintf("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":%q}}]}\n\n", word)
		messages += fmt.Sprintf("event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":%q}}\n\n", word)
		gemini += fmt.Sprintf("data: {\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":%q}]}}],\"usageMetadata\":{\"promptTokenCount\":8}}\n\n", word)
		response += fmt.Sprintf("data: {\"type\":\"response.output_text.delta\",\"output_index\":0,\"content_index\":0,\"delta\":%q}\n\n", word)
	}
	chat += stop + "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":8,\"completion_tokens\":5}}\n\n" + done
	messages += "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":5}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
	gemini += "data: {\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[]},\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":8,\"candidatesTokenCount\":5}}\n\n"
	response += "data: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\",\"status\":\"completed\",\"output\":[],\"usage\":{\"input_tokens\":8,\"output_tokens\":5}}}\n\n"

	const prompt, word = money.USD(8 * 1_000_000), money.USD(10_000_000) // at $1 and $10 per million
	for dialect, stream := range map[configpb.Dialect]string{
		configpb.Dialect_DIALECT_OPENAI: chat, configpb.Dialect_DIALECT_ANTHROPIC: messages,
		configpb.Dialect_DIALECT_GEMINI: gemini, configpb.Dialect_DIALECT_OPENAI_RESPONSES: response,
	} {
		events := strings.SplitAfter(stream, "\n\n")
		events = events[:len(events)-1] // nothing comes behind the last one
		for cut := range len(events) + 1 {
			t.Run(fmt.Sprintf("%v/%d of %d events", dialect, cut, len(events)), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					g, b := withBooks(t, onlyA, func(cfg *configpb.Config, _ *Policy) { cfg.Providers["a"].Dialect = dialect })
					g.Providers = registry.Providers()
					e, _ := g.asked("1", streamOf)
					e.streams()
					sent := strings.Join(events[:cut], "")
					for _, event := range events[:cut] {
						e.sends(event, false)
					}
					synctest.Wait()
					e.cancel() // the client may have had none of it yet
					synctest.Wait()
					elapse(rememberFor)
					said := 0
					for _, word := range words {
						if strings.Contains(sent, fmt.Sprintf("%q", word)) {
							said++
						}
					}
					if cut > 0 && dialect == configpb.Dialect_DIALECT_ANTHROPIC {
						said = max(said, 1) // its first event counts one
					}
					got := b.only(t)
					if want := prompt + money.USD(said)*word; got.Cost() != want {
						t.Errorf("%d words cost %s, want %s (%+v)", said, got.Cost(), want, got.Attempts)
					}
					if ended := strings.Contains(sent, `stop`) || strings.Contains(sent, "STOP") || strings.Contains(sent, "completed"); !ended && (!got.Cancelled || got.FinishReason != "") || cut == len(events) && got.FinishReason != "stop" {
						t.Errorf("finish reason %q, cancelled %t", got.FinishReason, got.Cancelled)
					}
					g.wantCount(1, "settled_total")
					g.wantCount(1, "requests_total")
					g.wantCount(got.Cost().Float64(), "cost_usd_total")
				})
			})
		}
	}
}

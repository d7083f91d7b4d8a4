package extproc

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/anthropic"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/extproc/pdftext/pdftexttest"
	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/usage"
)

// storing has what is said with the key kept.
func storing(cfg *configpb.Config, _ *Policy) { cfg.Keys[0].StoreContent = true }

// said is what was kept of the only request, as JSON.
func (b *books) said(t *testing.T) string {
	t.Helper()
	text, err := json.Marshal(b.only(t).Content)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

const askedHello = `{"input":{"messages":[{"role":"user","content":"hello"}]},`

func TestRow170WhatWasSaidIsKeptForKeysThatWantIt(t *testing.T) {
	const answers = "data: {\"choices\":[{\"index\":0,\"delta\":{\"reasoning\":\"hm\"}}]}\n\n" + token + token + stop + counted + done
	for _, test := range []struct {
		name   string
		change []func(*configpb.Config, *Policy)
		play   func(g *gateway)
		want   string
	}{
		{"a key that did not ask for it", nil, func(g *gateway) {
			e, _ := g.asked("1", streamOf)
			e.streams()
			e.sends(answers, true)
			e.begins()
			e.rest()
		}, `null`},
		{"an answer", []func(*configpb.Config, *Policy){storing}, func(g *gateway) {
			e, _ := g.asked("1", streamOf)
			e.streams()
			e.sends(answers, true)
			e.begins()
			e.rest()
		}, askedHello + `"output":{"completion":"hihi","reasoning":"hm"}}`},
		{"one that is no stream", []func(*configpb.Config, *Policy){storing}, func(g *gateway) {
			e, _ := g.asked("1", wholeOf)
			e.replies("200", viaUpstream, "content-type", "application/json")
			e.sends(`{"choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":10,"completion_tokens":4}}`, true)
			e.begins()
			e.rest()
		}, askedHello + `"output":{"completion":null,"reasoning":null,"tool_calls":[{"type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]}}`},
		{"a client that hung up", []func(*configpb.Config, *Policy){storing}, func(g *gateway) {
			e, _ := g.asked("1", streamOf)
			e.streams()
			e.sends(token, false)
			e.begins()
			e.piece()
			e.hangUp()
		}, askedHello + `"output":{"completion":"hi","reasoning":null}}`},
		{"failures, then an answer", []func(*configpb.Config, *Policy){storing}, func(g *gateway) {
			e, _ := g.asked("1", streamOf)
			e.replies("503", viaUpstream)
			e.refused()
			e, _ = g.asked("2", streamOf)
			e.streams()
			e.sends("event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":1,\"output_tokens\":1}}}\n\n"+
				"data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"yes\"}}\n\n"+
				"data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":2}}\n\ndata: {\"type\":\"message_stop\"}\n\n", true)
			e.begins()
			e.rest()
		}, askedHello + `"output":{"completion":"yes","reasoning":null}}`},
		{"failures alone", []func(*configpb.Config, *Policy){storing}, func(g *gateway) {
			e, _ := g.asked("1", streamOf)
			e.replies("503", viaUpstream)
			e.refused()
			e, _ = g.asked("2", streamOf)
			e.replies("500", viaUpstream)
			e.refused()
		}, askedHello + `"output":{"completion":null,"reasoning":null},"error":{"status":500,"message":"b: The provider answered with status 500 (Internal Server Error) and gave no reason.","raw":null,"provider_name":"b",` +
			`"previous_errors":[{"provider":"a","model":"m/x","code":503,"status":"Service Unavailable","message":"a: The provider answered with status 503 (Service Unavailable) and gave no reason."}]}}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, b := withBooks(t, test.change...)
				test.play(g)
				if got := b.said(t); got != test.want {
					t.Errorf("kept\n%s\nwant\n%s", got, test.want)
				}
				if len(b.begun) > 0 && b.begun[0].Content != nil {
					t.Error("noted on the way")
				}
			})
		})
	}
}

// What the gateway makes of a request for one provider is not what was asked.
func TestRow170FilesAreKeptByTheirNames(t *testing.T) {
	file := pdftexttest.Document("The answer is 42.")
	if _, err := pdfs.Text(t.Context(), file); err != nil { // compiles outside of the bubble
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		g, b := withBooks(t, storing, onlyA)
		e, _ := g.asked("1", withFile(file, ""))
		e.replies("200", viaUpstream, "content-type", "application/json")
		e.sends(wholeAnswer, true)
		e.begins()
		e.rest()
		const want = `{"input":{"messages":[{"role":"user","content":[{"type":"text","text":"what?"},{"type":"file","name":"a.pdf"}]}]},`
		if got := b.said(t); !strings.HasPrefix(got, want) {
			t.Errorf("kept\n%s\nwant\n%s", got, want)
		}
	})
}

// Of several choices, the first is kept: its text and its calls.
func TestRow170CallsOfOtherChoicesAreLeftOut(t *testing.T) {
	choice := func(n string) string {
		return `{"index":` + n + `,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"c` + n + `","type":"function","function":{"name":"f` + n + `","arguments":"{}"}}]},"finish_reason":"tool_calls"}`
	}
	synctest.Test(t, func(t *testing.T) {
		g, b := withBooks(t, storing)
		e, _ := g.asked("1", wholeOf)
		e.replies("200", viaUpstream, "content-type", "application/json")
		e.sends(`{"choices":[`+choice("0")+`,`+choice("1")+`],"usage":{"prompt_tokens":10,"completion_tokens":4}}`, true)
		e.begins()
		e.rest()
		const want = askedHello + `"output":{"completion":null,"reasoning":null,"tool_calls":[{"type":"function","function":{"name":"f0","arguments":"{}"}}]}}`
		if got := b.said(t); got != want {
			t.Errorf("kept\n%s\nwant\n%s", got, want)
		}
	})
}

// What a guardrail takes out of an answer is not kept, and is billed all the same.
func TestRow170GuardedAnswersAreKeptAsTheClientGotThem(t *testing.T) {
	const (
		said = `{"choices":[{"index":0,"message":{"role":"assistant","content":"write to jane@example.com","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"to\":\"jane@example.com\"}"}}]},"finish_reason":"tool_calls"}]}`
		kept = `"output":{"completion":"write to [EMAIL]","reasoning":null,"tool_calls":[{"type":"function","function":{"name":"f","arguments":"{\"to\":\"[EMAIL]\"}"}}]}}`
	)
	for action, want := range map[configpb.GuardAction]string{redacted: kept, blocked: `"output":{"completion":null,"reasoning":null}}`} {
		synctest.Test(t, func(t *testing.T) {
			g, b := withBooks(t, storing, guarding(t, builtin("email", action, outward)))
			e, _ := g.asked("1", wholeOf)
			e.replies("200", viaUpstream, "content-type", "application/json")
			e.sends(said, true)
			if action == redacted {
				e.begins()
				e.rest()
			} else {
				e.refused()
			}
			if got := b.said(t); got != askedHello+want {
				t.Errorf("%v: kept\n%s\nwant\n%s", action, got, askedHello+want)
			}
			if billed := b.only(t).Attempts[0].Tokens.Completion; billed != 14 {
				t.Errorf("%v: billed %d tokens, want those of what the provider said", action, billed)
			}
		})
	}
}

// input is what is kept of a request.
func input(t *testing.T, client dialect.Client, body string) usage.Input {
	t.Helper()
	request, err := client.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return (&attempt{client: client, toKeep: request, key: &identity.Key{}}).input()
}

func TestRow170InputIsInTheWordsOfChatCompletions(t *testing.T) {
	for _, test := range []struct {
		name   string
		client dialect.Client
		body   string
		want   string
	}{
		{"a prompt", openai.Completions{}, `{"model":"m/x","prompt":"once"}`, `{"prompt":"once"}`},
		{"no text", openai.Completions{}, `{"model":"m/x","prompt":""}`, `{"prompt":""}`},
		{"media are left out, but for their names and addresses", openai.Client{}, `{"model":"m/x","messages":[{"role":"user","content":[{"type":"text","text":"see"},
			{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},{"type":"image_url","image_url":{"url":"https://a.example/b.png"}},
			{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,AAAA"}},{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}]}]}`,
			`{"messages":[{"role":"user","content":[{"type":"text","text":"see"},{"type":"image_url"},{"type":"image_url","url":"https://a.example/b.png"},{"type":"file","name":"a.pdf"},{"type":"input_audio"}]}]}`},
		{"a loop of tools, of another dialect", anthropic.Client{}, `{"model":"m/x","max_tokens":9,"system":"be brief","messages":[{"role":"user","content":"go"},
			{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"calling"},{"type":"tool_use","id":"c","name":"f","input":{"a":1}}]},
			{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":"done"}]}]}`,
			`{"messages":[{"role":"system","content":"be brief"},{"role":"user","content":"go"},{"role":"assistant","content":"calling","reasoning":"hm",` +
				`"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},{"role":"tool","tool_call_id":"c","content":"done"}]}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := json.Marshal(input(t, test.client, test.body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Whatever a client sends, what is kept of it is bounded as JSON has it, and says so.
func TestInputIsBounded(t *testing.T) {
	quoted := func(text string) string {
		made, _ := json.Marshal(text)
		return string(made)
	}
	turns := func(n int, text string) string {
		return strings.Repeat(`{"role":"user","content":`+quoted(text)+`},`, n) + `{"role":"user","content":"the latest"}`
	}
	for name, messages := range map[string]string{
		"long texts":         turns(40, strings.Repeat("a long text ", 3000)),
		"one text":           turns(1, strings.Repeat("é", 1<<20)),
		"control characters": turns(1, strings.Repeat("\x01", 300<<10)),
		"quotes":             turns(1, strings.Repeat(`"\`, 300<<10)),
		"many messages":      turns(10_000, "x"),
		"many empty parts":   `{"role":"user","content":[` + strings.Repeat(`{"type":"text","text":""},`, 10_000) + `{"type":"text","text":"the latest"}]}`,
		"many images":        `{"role":"user","content":[` + strings.Repeat(`{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},`, 10_000) + `{"type":"text","text":"the latest"}]}`,
		"many parts":         `{"role":"user","content":[` + strings.Repeat(`{"type":"text","text":"y"},`, 10_000) + `{"type":"text","text":"the latest"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			got := input(t, openai.Client{}, `{"model":"m/x","messages":[`+messages+`]}`)
			if size := len(got.Messages); size > mostInput+1024 || size < mostInput/16 || !got.Truncated {
				t.Errorf("%d bytes are kept, truncated %t", size, got.Truncated)
			}
			if name != "many parts" && name != "many images" && name != "many empty parts" && !strings.HasSuffix(string(got.Messages), `{"role":"user","content":"the latest"}]`) {
				t.Errorf("the latest message is not kept: %.100s", got.Messages[len(got.Messages)-100:])
			}
		})
	}
}

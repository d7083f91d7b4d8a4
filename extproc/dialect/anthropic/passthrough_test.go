package anthropic

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/sse"
)

const (
	start = `event: message_start
data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[],"stop_reason":null,"usage":{"input_tokens":5,"output_tokens":1}}}

`
	searched = `event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"server_tool_use","id":"srv","name":"web_search","input":{}}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

`
	spoke = `event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"hey"}}

event: content_block_stop
data: {"type":"content_block_stop","index":1}

`
	ended = `event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":7,"cost":99}}

event: message_stop
data: {"type":"message_stop"}

`
)

// pass carries a provider's stream to a client.
func pass(t testing.TB, stream string, wantsStream bool) ([]byte, dialect.Progress, error) {
	t.Helper()
	return passCut(t, [][]byte{[]byte(stream)}, wantsStream)
}

// passCut carries a stream that comes in chunks. A chunk is gone when the next comes.
func passCut(t testing.TB, chunks [][]byte, wantsStream bool) ([]byte, dialect.Progress, error) {
	t.Helper()
	request := &dialect.Request{Dialect: Name, Stream: wantsStream, PromptBytes: 40}
	pipe := dialect.NewPipe(Client{}, Provider{}, request, testMeta())
	var reader sse.Reader
	var out []byte
	drain := func() error {
		for {
			event, ok, err := reader.Next()
			if err != nil || !ok {
				return err
			}
			if out, err = pipe.Event(out, event); err != nil {
				return err
			}
		}
	}
	for _, chunk := range chunks {
		fed := bytes.Clone(chunk)
		reader.Feed(fed)
		if err := drain(); err != nil {
			return out, pipe.Progress(), err
		}
		clear(fed)
	}
	reader.End()
	if err := drain(); err != nil {
		return out, pipe.Progress(), err
	}
	return pipe.Finish(out), pipe.Progress(), nil
}

func TestPassthroughStream(t *testing.T) {
	out, progress, err := pass(t, start+searched+spoke+ended, true)
	if err != nil {
		t.Fatal(err)
	}
	// What is between the first event and the last two passes as it is.
	if !strings.Contains(string(out), searched+spoke) {
		t.Errorf("content is not as it was:\n%s", out)
	}
	if !strings.Contains(string(out), `"message":{"id":"gen-1","type":"message","role":"assistant","model":"m/x","provider":"A","content":[],"stop_reason":null,"usage":{"input_tokens":5,"output_tokens":1}}`) {
		t.Errorf("message_start:\n%s", out)
	}
	if !strings.HasSuffix(string(out), `event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":7,"input_tokens":5,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cost":0.5,"is_byok":false,"cost_details":{"upstream_inference_cost":0.5,"upstream_inference_prompt_cost":0.2,"upstream_inference_completions_cost":0.3}}}

event: message_stop
data: {"type":"message_stop","openrouter_metadata":{"region":"here"}}

`) {
		t.Errorf("end:\n%s", out)
	}
	want := dialect.Progress{Started: true, Done: true, FinishReason: "stop", NativeFinishReason: "end_turn",
		Usage: dialect.Usage{Prompt: 5, Completion: 7}, HasUsage: true, OutputBytes: 3, UpstreamID: "msg_1", Steps: 3}
	if diff := cmp.Diff(want, progress, cmpopts.IgnoreFields(dialect.Progress{}, "Transcript")); diff != "" || progress.Transcript.Text(0) != "hey" {
		t.Error(diff)
	}
}

// Some clients read the counts of the last event alone, which adds up all before it. Of
// the prompt's it says nothing at some providers, and less than all at others.
func TestPassthroughCountsAtTheEnd(t *testing.T) {
	cached := strings.Replace(start, `"input_tokens":5`, `"input_tokens":5,"cache_read_input_tokens":3,"cache_creation_input_tokens":2`, 1)
	for _, test := range []struct{ name, said, want string }{
		{"nothing", `"output_tokens":7`, `"input_tokens":5,"cache_creation_input_tokens":2,"cache_read_input_tokens":3`},
		{"null", `"input_tokens":null,"output_tokens":7`, `"input_tokens":5,"cache_creation_input_tokens":2,"cache_read_input_tokens":3`},
		{"some", `"output_tokens":7,"input_tokens":6`, `"output_tokens":7,"input_tokens":6,"cache_creation_input_tokens":2,"cache_read_input_tokens":3`},
		{"all", `"input_tokens":6,"cache_read_input_tokens":4,"cache_creation_input_tokens":1,"output_tokens":7`,
			`"input_tokens":6,"cache_read_input_tokens":4,"cache_creation_input_tokens":1,"output_tokens":7`},
	} {
		stream := cached + strings.ReplaceAll(spoke, `"index":1`, `"index":0`) + strings.Replace(ended, `"output_tokens":7`, test.said, 1)
		out, _, err := pass(t, stream, true)
		if err != nil || !strings.Contains(string(out), test.want+`,"cost":0.5`) {
			t.Errorf("%s: %v in\n%s", test.name, err, out)
		}
	}
}

func TestPassthroughOfNeighbours(t *testing.T) {
	for _, test := range []struct{ name, stream string }{
		{"a second start", start + start + spoke + ended},
		{"no start", strings.ReplaceAll(spoke, `"index":1`, `"index":0`) + ended},
		{"a bare start", "data: {\"type\":\"message_start\",\"message\":{\"id\":\"a\",\"usage\":null}}\n\n" + strings.ReplaceAll(spoke, `"index":1`, `"index":0`) + ended},
		{"two message_deltas", start + strings.Replace(ended, "event: message_stop", "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{},\"usage\":{\"output_tokens\":8}}\n\nevent: message_stop", 1)},
		{"no names of events", strings.ReplaceAll(start+ended, "event: ", "ignored: ")},
		{"an end without usage", start + "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\n"},
		{"pings before it", "data: {\"type\":\"ping\"}\n\n" + start + ended},
		{"done", start + ended + "data: [DONE]\n\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			stream := strings.ReplaceAll(test.stream, `"index":1`, `"index":0`)
			out, _, err := pass(t, stream, true)
			if err != nil {
				t.Fatal(err)
			}
			message := assemble(t, out).Message
			if message["id"] != "gen-1" || message["stop_reason"] != "end_turn" {
				t.Errorf("%v", message)
			}
			if usage, _ := message["usage"].(map[string]any); usage["cost"] != 0.5 {
				t.Errorf("usage %v", usage)
			}
		})
	}
}

func TestPassthroughErrors(t *testing.T) {
	_, _, err := pass(t, start+"event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"busy\"}}\n\n", true)
	var failure *dialect.ProviderFailure
	if !errors.As(err, &failure) || failure.Status != 503 || failure.Message != "busy" {
		t.Errorf("%v", err)
	}
	_, progress, err := pass(t, start+"event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n", true)
	if err != nil || progress.Started {
		t.Errorf("an empty block counts as an answer's start (%v)", err)
	}
	if _, _, err = pass(t, "data: {\n\n", true); err == nil {
		t.Error("what is not JSON passed")
	}
}

// TestPassthroughAgreesWithTranslation: whoever streams and whoever does not, the
// client gets the same message.
func TestPassthroughAgreesWithTranslation(t *testing.T) {
	stream := strings.ReplaceAll(start+spoke+ended, `"index":1`, `"index":0`)
	const whole = `{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[{"type":"text","text":"hey"}],
		"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":5,"output_tokens":7},"container":{ "id":"kept" }}`
	for _, wants := range []bool{true, false} {
		pipe := dialect.NewPipe(Client{}, Provider{}, &dialect.Request{Dialect: Name, Stream: wants}, testMeta())
		fromWhole, err := pipe.Whole(nil, []byte(whole))
		if err != nil {
			t.Fatal(err)
		}
		fromStream, _, err := pass(t, stream, wants)
		if err != nil {
			t.Fatal(err)
		}
		for _, out := range [][]byte{fromWhole, fromStream} {
			var message map[string]any
			if wants {
				message = assemble(t, out).Message
			} else if err := json.Unmarshal(out, &message); err != nil {
				t.Fatal(err)
			}
			content, _ := json.Marshal(message["content"])
			usage, _ := message["usage"].(map[string]any)
			if string(content) != `[{"text":"hey","type":"text"}]` || message["id"] != "gen-1" || usage["output_tokens"] != 7.0 || usage["cost"] != 0.5 {
				t.Errorf("stream=%t: %s", wants, out)
			}
		}
		if !wants && !strings.Contains(string(fromWhole), `"container":{ "id":"kept" }`) {
			t.Errorf("bytes are not kept: %s", fromWhole)
		}
	}
}

// FuzzPassthrough: whatever a provider sends, the client gets a stream of its dialect
// or an error, the same however the bytes are cut.
func FuzzPassthrough(f *testing.F) {
	f.Add([]byte(start+searched+spoke+ended), true, uint64(1))
	f.Add([]byte(start+spoke+ended), false, uint64(2))
	f.Add([]byte("data: {\"type\":\"message_delta\"}\n\n"), true, uint64(3))
	f.Fuzz(func(t *testing.T, stream []byte, wants bool, seed uint64) {
		out, progress, err := pass(t, string(stream), wants)
		for _, chunks := range [][][]byte{
			slices.Collect(slices.Chunk(stream, 1)),
			cutAtRandom(seed, stream),
		} {
			cut, cutProgress, cutErr := passCut(t, chunks, wants)
			if !bytes.Equal(cut, out) || fmt.Sprint(cutErr) != fmt.Sprint(err) {
				t.Errorf("cut differently:\n%s (%v)\n%s (%v)", out, err, cut, cutErr)
			}
			if !reflect.DeepEqual(cutProgress, progress) {
				t.Errorf("progress %+v, cut differently %+v", progress, cutProgress)
			}
		}
		if err != nil {
			return
		}
		for line := range strings.Lines(string(out)) {
			if data, is := strings.CutPrefix(line, "data: "); is && !json.Valid([]byte(data)) {
				t.Errorf("data is not JSON: %q", data)
			}
		}
	})
}

func cutAtRandom(seed uint64, stream []byte) [][]byte {
	random := rand.New(rand.NewPCG(seed, 0))
	var chunks [][]byte
	for len(stream) > 0 {
		n := 1 + random.IntN(len(stream))
		chunks, stream = append(chunks, stream[:n]), stream[n:]
	}
	return chunks
}

// FuzzClientRequest: what Parse accepts can be written for a provider of either kind
// without a panic.
func FuzzClientRequest(f *testing.F) {
	f.Add([]byte(`{"model":"m/x","system":[{"type":"text","text":"s"}],"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"image","source":{"type":"url","url":"u"}}]}]}]}`))
	f.Add([]byte(`{"thinking":{"type":"adaptive"},"output_config":{"effort":"high"},"messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"a","signature":"switchyard.reasoning:eyJ"}]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		request, err := Client{}.Parse(body)
		if err != nil {
			return
		}
		if _, err := request.Chat(); err != nil {
			t.Fatal(err)
		}
		upstream, err := Provider{}.Request(request, dialect.Target{Model: "up"})
		if err == nil && !json.Valid(upstream.Body) {
			t.Errorf("not JSON: %q", upstream.Body)
		}
	})
}

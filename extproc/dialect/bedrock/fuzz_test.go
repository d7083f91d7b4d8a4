package bedrock

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	awsstream "github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/anthropic"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/extproc/eventstream"
)

// framed encodes events, one a line: a name, a space and data.
func framed(t testing.TB, lines string) []byte {
	t.Helper()
	var b bytes.Buffer
	for line := range strings.Lines(lines) {
		name, data, _ := strings.Cut(strings.TrimSpace(line), " ")
		message := awsstream.Message{Payload: []byte(data)}
		kind, of := "event", ":event-type"
		if exception, failed := strings.CutPrefix(name, eventstream.FailurePrefix); failed {
			name, kind, of = exception, "exception", ":exception-type"
		}
		message.Headers.Set(":message-type", awsstream.StringValue(kind))
		message.Headers.Set(of, awsstream.StringValue(name))
		var one bytes.Buffer
		if awsstream.NewEncoder().Encode(&one, message) == nil { // no event has a name that is too long
			b.Write(one.Bytes())
		}
	}
	return b.Bytes()
}

// carried is what a client gets of a stream that came in chunks.
func carried(client dialect.Client, provider dialect.Provider, chunks [][]byte) string {
	pipe := dialect.NewPipe(client, provider, &dialect.Request{Stream: true}, dialect.Meta{ID: "gen-1-a"})
	var reader eventstream.Reader
	var out []byte
	for _, chunk := range chunks {
		reader.Feed(chunk)
		for {
			event, ok, err := reader.Next()
			if err == nil && ok {
				out, err = pipe.Event(out, event)
			}
			if err != nil {
				return string(pipe.Fail(out, &dialect.Error{Status: 502, Message: err.Error()}))
			}
			if !ok {
				break
			}
		}
	}
	return string(pipe.Finish(out))
}

func FuzzStream(f *testing.F) {
	f.Add("messageStart {\"role\":\"assistant\"}\ncontentBlockStart {\"contentBlockIndex\":1,\"start\":{\"toolUse\":{\"toolUseId\":\"a\",\"name\":\"f\"}}}\n"+
		"contentBlockDelta {\"contentBlockIndex\":1,\"delta\":{\"toolUse\":{\"input\":\"{}\"}}}\nmessageStop {\"stopReason\":\"tool_use\"}\nmetadata {\"usage\":{\"inputTokens\":1}}", uint64(1))
	f.Add("contentBlockDelta {\"contentBlockIndex\":7,\"delta\":{\"reasoningContent\":{\"text\":\"\\ud83d\",\"signature\":\"s\"},\"text\":\"x\",\"citation\":{\"location\":{\"web\":{\"url\":\"u\"}}}}}", uint64(2))
	f.Add("error:throttlingException {\"message\":[]}", uint64(3))
	f.Add("chunk {\"bytes\":\"eyJ0eXBlIjoibWVzc2FnZV9zdGFydCIsIm1lc3NhZ2UiOnsiaWQiOiJhIn19\"}\nchunk {\"bytes\":\"e30=\"}\nchunk {}\nchunk {\"bytes\":\"!\"}", uint64(4))
	f.Fuzz(func(t *testing.T, lines string, seed uint64) {
		stream := framed(t, lines)
		random := rand.New(rand.NewPCG(seed, 0))
		var chunks [][]byte
		for rest := stream; len(rest) > 0; {
			n := 1 + random.IntN(len(rest))
			chunks, rest = append(chunks, rest[:n]), rest[n:]
		}
		for _, provider := range []dialect.Provider{Provider{}, Claude{}} {
			for _, client := range []dialect.Client{openai.Client{}, anthropic.Client{}} {
				whole := carried(client, provider, [][]byte{stream})
				if cut := carried(client, provider, chunks); cut != whole {
					t.Errorf("cut differently:\n%s\n%s", whole, cut)
				}
				for line := range strings.SplitSeq(whole, "\n") {
					data, found := strings.CutPrefix(line, "data: ")
					if found && data != "[DONE]" && !json.Valid([]byte(data)) {
						t.Errorf("a client cannot read %q", data)
					}
				}
			}
		}
	})
}

func FuzzWhole(f *testing.F) {
	f.Add([]byte(`{"output":{"message":{"content":[{"text":"x"},{"toolUse":{"input":{}}},{"reasoningContent":{"reasoningText":{}}},{"citationsContent":{"content":[{"text":"y"}],"citations":[{"location":{"web":{"url":"u"}}}]}}]}},"stopReason":"end_turn","usage":{"inputTokens":1}}`))
	f.Add([]byte(`{"output":{"message":{"content":[1,null,{"text":1,"toolUse":[]}]}},"usage":{"cacheDetails":{"a":[]}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, client := range []dialect.Client{openai.Client{}, anthropic.Client{}} {
			pipe := dialect.NewPipe(client, Provider{}, &dialect.Request{}, dialect.Meta{})
			if out, err := pipe.Whole(nil, body); err == nil && !json.Valid(out) {
				t.Errorf("a client cannot read %q", out)
			}
		}
	})
}

func FuzzRequest(f *testing.F) {
	f.Add([]byte(`{"reasoning":{"effort":"low"},"response_format":{"type":"json_schema","json_schema":{"schema":{"type":"object","items":[{}]}}},"tools":[{"function":{"parameters":{"a":1}}}],"messages":[{"role":"user","content":"x"}]}`))
	f.Add([]byte(`{"messages":[{"role":"assistant","content":[{"type":"text","text":" x ","cache_control":{"type":"ephemeral"}}],"tool_calls":[{"id":"é","function":{"name":"f","arguments":"[]"}}]},{"role":"tool","tool_call_id":"é"}]}`))
	f.Add([]byte(`{"messages":[{"role":"user","content":[{"type":"file","file":{"filename":"a.é","file_data":"data:text/x;base64,AAAA"}},{"type":"image_url","image_url":{"url":"s3://a"}}]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		request, err := openai.Client{}.Parse(body)
		if err != nil {
			return
		}
		before := bytes.Clone(body)
		for _, provider := range []dialect.Provider{Provider{}, Claude{}} {
			upstream, err := provider.Request(request, dialect.Target{Model: sonnet, ServiceTier: "priority"})
			if !bytes.Equal(before, body) {
				t.Fatal("the client's bytes were changed")
			}
			if err != nil {
				var failure *dialect.Error
				if !errors.As(err, &failure) || failure.Message == "" {
					t.Fatalf("not an error for a client: %v", err)
				}
				continue
			}
			if !json.Valid(upstream.Body) {
				t.Errorf("not JSON: %s", upstream.Body)
			}
			if _, converse := provider.(Provider); converse {
				checkTurns(t, upstream.Body)
			}
		}
	})
}

// checkTurns holds a request to what every model demands: turns that alternate, the
// user's first, and no empty one.
func checkTurns(t *testing.T, body []byte) {
	t.Helper()
	var sent struct {
		Messages []struct {
			Role    string
			Content []map[string]json.RawMessage
		}
	}
	if err := json.Unmarshal(body, &sent); err != nil {
		t.Fatal(err)
	}
	for i, m := range sent.Messages {
		if want := []string{"user", "assistant"}[i%2]; m.Role != want || len(m.Content) == 0 {
			t.Errorf("turn %d is %+v in %s", i, m, body)
		}
		for _, block := range m.Content {
			if len(block) != 1 {
				t.Errorf("a block of %d members in %s", len(block), body)
			}
		}
	}
}

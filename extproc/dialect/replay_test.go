package dialect_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/anthropic"
	"github.com/switchyard/switchyard/extproc/dialect/gemini"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/extproc/dialect/responses"
	"github.com/switchyard/switchyard/extproc/sse"
)

var again = dialect.Again{ID: "gen-2000-b", SourceID: "gen-1000-a", Now: time.Unix(2000, 0)}

func TestRow110Replay(t *testing.T) {
	for name, test := range map[string]struct {
		client     dialect.Replayer
		stream     bool
		from, want string
	}{
		"a chat completion": {openai.Client{}, false,
			" {\"id\" : \"gen-1000-a\",\n\"object\":\"chat.completion\",\"created\":1000,\"choices\":[{\"message\":{\"id\":\"gen-1000-a\",\"created\":5,\"usage\":{\"a\":1},\"content\":\"é\\u00e9\"}}]," +
				`"usage":{"prompt_tokens":12,"cost":1e-5,"is_byok":false,"details":{"accepted":null,"x":[{"n":-1.5,"m":"TEXT"}]}},"openrouter_metadata":{"a":1}}`,
			`{"id":"gen-2000-b","object":"chat.completion","created":2000,"choices":[{"message":{"id":"gen-1000-a","created":5,"usage":{"a":1},"content":"é\u00e9"}}],` +
				`"usage":{"prompt_tokens":0,"cost":0,"is_byok":false,"details":{"accepted":null,"x":[{"n":0,"m":"TEXT"}]}}}`},
		"chunks": {openai.Client{}, true,
			": OPENROUTER PROCESSING\n\ndata: {\"id\":\"gen-1000-a\",\"created\":1000,\"choices\":[]}\n\ndata: {\"id\":\"gen-1000-a\",\"created\":1000,\"usage\":{\"n\":1},\"openrouter_metadata\":{}}\n\ndata: [DONE]\n\n",
			"data: {\"id\":\"gen-2000-b\",\"created\":2000,\"choices\":[]}\n\ndata: {\"id\":\"gen-2000-b\",\"created\":2000,\"usage\":{\"n\":0}}\n\ndata: [DONE]\n\n"},
		"an id that is not the generation's": {openai.Client{}, false, `{"id":"emb_1","usage":null}`, `{"id":"emb_1","usage":null}`},
		"a message": {anthropic.Client{}, false,
			`{"id":"gen-1000-a","type":"message","usage":{"input_tokens":3,"service_tier":"standard","server_tool_use":null},"message":{"id":"gen-1000-a"}}`,
			`{"id":"gen-2000-b","type":"message","usage":{"input_tokens":0,"service_tier":"standard","server_tool_use":null},"message":{"id":"gen-1000-a"}}`},
		"events of a message": {anthropic.Client{}, true,
			"event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"gen-1000-a\",\"usage\":{\"input_tokens\":3}}}\n\n" +
				"event: content_block_start\ndata: {\"type\":\"content_block_start\",\"content_block\":{\"type\":\"tool_use\",\"id\":\"toolu_1\",\"input\":{\"usage\":1}}}\n\n" +
				"event: message_delta\ndata: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":3}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\",\"openrouter_metadata\":{}}\n\n",
			"event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"gen-2000-b\",\"usage\":{\"input_tokens\":0}}}\n\n" +
				"event: content_block_start\ndata: {\"type\":\"content_block_start\",\"content_block\":{\"type\":\"tool_use\",\"id\":\"toolu_1\",\"input\":{\"usage\":1}}}\n\n" +
				"event: message_delta\ndata: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":0}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"},
		"events of a response": {responses.Client{}, true,
			"data: {\"type\":\"response.created\",\"response\":{\"id\":\"gen-1000-a\",\"created_at\":1000,\"completed_at\":null,\"usage\":null}}\n\n" +
				"data: {\"type\":\"response.output_item.added\",\"item\":{\"id\":\"msg_1\",\"created_at\":7}}\n\n" +
				"data: {\"type\":\"response.completed\",\"response\":{\"id\":\"gen-1000-a\",\"created_at\":1000,\"completed_at\":1009,\"usage\":{\"n\":[1]}}}\n\n",
			"data: {\"type\":\"response.created\",\"response\":{\"id\":\"gen-2000-b\",\"created_at\":2000,\"completed_at\":null,\"usage\":null}}\n\n" +
				"data: {\"type\":\"response.output_item.added\",\"item\":{\"id\":\"msg_1\",\"created_at\":7}}\n\n" +
				"data: {\"type\":\"response.completed\",\"response\":{\"id\":\"gen-2000-b\",\"created_at\":2000,\"completed_at\":2000,\"usage\":{\"n\":[0]}}}\n\n"},
		"chunks of Google's": {gemini.Client{}, true,
			"\n\ndata: {\"responseId\":\"gen-1000-a\",\"createTime\":\"2026-01-01T00:00:00Z\",\"usageMetadata\":{\"promptTokensDetails\":[{\"modality\":\"TEXT\",\"tokenCount\":7}]}}\n\n",
			"data: {\"responseId\":\"gen-2000-b\",\"createTime\":\"1970-01-01T00:33:20Z\",\"usageMetadata\":{\"promptTokensDetails\":[{\"modality\":\"TEXT\",\"tokenCount\":0}]}}\n\n"},
	} {
		t.Run(name, func(t *testing.T) {
			from := []byte(test.from)
			got := dialect.Replay([]byte("before"), test.client.Marks(), again, from, test.stream)
			if diff := cmp.Diff("before"+test.want, string(got)); diff != "" {
				t.Error(diff)
			}
			if string(from) != test.from {
				t.Error("what is kept has changed")
			}
		})
	}
}

// FuzzReplay holds that nothing that is kept makes it panic, that what is replayed can be
// read, and that replaying that once more changes nothing.
func FuzzReplay(f *testing.F) {
	f.Add([]byte(`{"id":"gen-1000-a","created":1,"usage":{"a":[1,{"b":"c"}]},"choices":[]}`), false)
	f.Add([]byte("event: message_start\r\ndata: {\"message\":{\"id\":\"gen-1000-a\",\"usage\":{}}}\r\n\r\n: x\n\ndata: [DONE]"), true)
	f.Add([]byte("data: {\"response\":{\"completed_at\":null,\"openrouter_metadata\":1}}\ndata: x\n\n"), true)
	f.Add([]byte("\ufeffdata:{\n\nid: 7\nevent: \ndata: {\"id\":"), true)
	f.Fuzz(func(t *testing.T, answer []byte, stream bool) {
		marks := dialect.Marks{ID: "id", Usage: "usage", Times: []string{"created", "completed_at"}, Holders: []string{"message", "response"}}
		once := dialect.Replay(nil, marks, again, answer, stream)
		if twice := dialect.Replay(nil, marks, again, once, stream); readable(answer, stream) && !bytes.Equal(once, twice) {
			t.Errorf("%q becomes %q, and that %q", answer, once, twice)
		}
		if readable(answer, stream) && !readable(once, stream) {
			t.Errorf("%q becomes %q, which cannot be read", answer, once)
		}
	})
}

// readable reports whether an answer is JSON, or a stream of it in single lines.
func readable(answer []byte, stream bool) bool {
	if !stream {
		return json.Valid(answer)
	}
	reader := sse.Reader{}
	reader.Feed(answer)
	reader.End()
	for {
		event, ok, err := reader.Next()
		if !ok {
			return err == nil
		}
		if !json.Valid(event.Data) || bytes.ContainsAny(event.Data, "\r\n") {
			return false
		}
	}
}

func BenchmarkReplay(b *testing.B) {
	whole := func(size int) string {
		return fmt.Sprintf(`{"id":"gen-1000-a","created":1000,"choices":[{"message":{"content":%q}}],"usage":{"prompt_tokens":12,"cost":0.5}}`, strings.Repeat("x", size))
	}
	event := "data: {\"id\":\"gen-1000-a\",\"provider\":\"OpenAI\",\"model\":\"openai/gpt-4o\",\"object\":\"chat.completion.chunk\",\"created\":1000,\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"word\"},\"finish_reason\":null,\"native_finish_reason\":null,\"logprobs\":null}]}\n\n"
	for name, kept := range map[string]string{
		"whole/1KB": whole(1 << 10), "whole/100KB": whole(100 << 10),
		"stream/1": event, "stream/1000": strings.Repeat(event, 1000),
	} {
		b.Run(name, func(b *testing.B) {
			answer, dst := []byte(kept), []byte(nil)
			b.ReportAllocs()
			b.SetBytes(int64(len(answer)))
			for b.Loop() {
				dst = dialect.Replay(dst[:0], openai.Client{}.Marks(), again, answer, strings.HasPrefix(name, "stream"))
			}
		})
	}
}

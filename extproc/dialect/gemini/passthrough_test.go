package gemini

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
)

func TestPassthroughStream(t *testing.T) {
	const (
		first = `data: {"candidates": [{"content":{"parts":[{"text":"a","new":{"x": 1}}],"role":"model"},"index":0,"safetyRatings":[]}],"usageMetadata":{"promptTokenCount":5},"modelVersion":"gemini","responseId":"up"}` + "\n\n"
		last  = "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\",\"thoughtSignature\":\"-_8\"}]},\ndata: \"finishReason\":\"STOP\"}],\"zebra\":1,\"usageMetadata\":{\"promptTokenCount\":5,\"candidatesTokenCount\":7,\"new\":1,\"cost\":99},\"responseId\":\"up\"}\n\n"
	)
	for seed := range uint64(20) {
		out := answer(Provider{}, cut([]byte(first+last), seed)...)
		want := `data: {"candidates": [{"content":{"parts":[{"text":"a","new":{"x": 1}}],"role":"model"},"index":0,"safetyRatings":[]}],"usageMetadata":{"promptTokenCount":5},` + identity + "}\n\n" +
			`data: {"candidates":[{"content":{"parts":[{"text":"","thoughtSignature":"-_8"}]}, "finishReason":"STOP"}],"zebra":1,` + identity +
			`,"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":7,"new":1,` + cost + `}` + trailer + "\n\n"
		if diff := cmp.Diff(want, out); diff != "" {
			t.Fatal(diff)
		}
	}
}

// known-failures 3: the last chunk is the one that counts, wherever it comes; and where
// none does the end is told all the same.
func TestPassthroughCountsBehindTheEnd(t *testing.T) {
	const (
		end    = `{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]`
		counts = `"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":7`
	)
	want := "data: " + end + "," + identity + "}\n\n" + "data: {" + identity + "," + counts + "," + cost + "}" + trailer + "\n\n"
	if diff := cmp.Diff(want, answer(Provider{}, []byte("data: "+end+"}\n\n"+"data: {"+counts+"}}\n\n"))); diff != "" {
		t.Error(diff)
	}
	out := answer(Provider{}, []byte("data: "+end+"}\n\n"))
	if strings.Count(out, "data: ") != 1 || !strings.HasPrefix(out, "data: "+end+",") || !strings.Contains(out, `"usageMetadata":{"promptTokenCount":`) {
		t.Errorf("never counted: %s", out)
	}
}

func TestPassthroughProgress(t *testing.T) {
	request := &dialect.Request{Dialect: Name}
	pipe := dialect.NewPipe(Client{}, Provider{}, request, testMeta())
	out, err := pipe.Whole(nil, []byte(" "+`{"candidates":[{"content":{"parts":[{"executableCode":{}},{"functionCall":{"name":"f","args":{}},"thoughtSignature":"s"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":7},"responseId":"up"}`+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"candidates":[{"content":{"parts":[{"executableCode":{}},{"functionCall":{"name":"f","args":{}},"thoughtSignature":"s"}]},"finishReason":"STOP"}],` + identity +
		`,"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":7,` + cost + `}` + trailer; string(out) != want {
		t.Errorf("%s\nwant %s", out, want)
	}
	progress := pipe.Progress()
	if !progress.Started || !progress.Done || progress.FinishReason != "tool_calls" || progress.UpstreamID != "up" || !progress.BoundReasoning ||
		progress.Usage.Prompt != 5 || progress.Usage.Completion != 7 || len(progress.ToolCalls) != 1 {
		t.Errorf("%+v", progress)
	}
}

// Client and provider need not agree on streaming, nor on framing (known-failures 29).
func TestPassthroughBetweenFramings(t *testing.T) {
	const chunk = `{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":7}}`
	const text = `"parts":[{"text":"a"}`
	for name, body := range map[string]string{"whole": chunk, "array": "[" + chunk + "]"} {
		for _, wants := range []bool{true, false} {
			pipe := dialect.NewPipe(Client{}, Provider{}, &dialect.Request{Stream: wants}, testMeta())
			out, err := pipe.Whole(nil, []byte(body))
			if err != nil || !strings.Contains(string(out), text) || strings.HasPrefix(string(out), "data: ") != wants || !strings.Contains(string(out), `"candidatesTokenCount":7`) {
				t.Errorf("%s, streamed %t: %s, %v", name, wants, out, err)
			}
		}
	}
	if out := answer(Provider{}, []byte("data: ["+chunk+"]\n\n")); !strings.Contains(out, text) || strings.Contains(out, "data: [") {
		t.Errorf("an array in an event: %s", out)
	}
}

func TestPassthroughRefuses(t *testing.T) {
	for _, data := range []string{`{`, `1`, `{"error":{"code":429,"message":"m"}}`, `{"promptFeedback":{"blockReason":"SAFETY"}}`} {
		if out := answer(Provider{}, []byte("data: "+data+"\n\n")); !strings.HasPrefix(out, `data: {"error":{"code":502`) {
			t.Errorf("%s passed as %s", data, out)
		}
	}
}

package responses

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/sse"
)

// pass carries a provider's stream, of an event a line, to a client of the same API.
func pass(t testing.TB, body, lines string) (string, dialect.Pipe, error) {
	t.Helper()
	request, err := Client{}.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	pipe := dialect.NewPipe(Client{}, Provider{}, request, meta)
	var out []byte
	for line := range strings.SplitSeq(strings.TrimSpace(lines), "\n") {
		if out, err = pipe.Event(out, sse.Event{Data: []byte(line)}); err != nil {
			return string(out), pipe, err
		}
	}
	return string(out), pipe, nil
}

const wanted = `{"input":"hi","stream":true,"user":"bob"}`

const (
	created     = `{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","created_at":5,"model":"gpt-5-2026","output":[],"usage":null,"user":"hashed","future":{"x":1},"metadata":{}}}` + "\n"
	asIs        = `{"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"id":"ws_1","type":"web_search_call","status":"in_progress"}}` + "\n"
	ahead       = `{"sequence_number":2,"type":"response.output_text.delta","output_index":1,"content_index":0,"item_id":"m","delta":"hey","logprobs":[],"obfuscation":"x"}` + "\n"
	thoughtDone = `{"type":"response.output_item.done","sequence_number":3,"output_index":2,"item":{"id":"rs_1","type":"reasoning","summary":[],"encrypted_content":"blob"}}` + "\n"
	closing     = `{"type":"response.completed","sequence_number":4,"response":{"id":"resp_1","object":"response","status":"completed","model":"gpt-5-2026","service_tier":"default","output":[{"id":"rs_1","type":"reasoning","summary":[],"encrypted_content":"blob"}],"usage":{"input_tokens":10,"output_tokens":5,"total_tokens":15,"input_tokens_details":{"cached_tokens":4,"new":1},"cost":99}}}` + "\n"
)

func TestEventsPass(t *testing.T) {
	out, pipe, err := pass(t, wanted, created+asIs+ahead+thoughtDone+closing)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out, "data: "+ahead+"\n") {
		t.Errorf("a delta was changed in %s", out)
	}
	progress := pipe.Progress()
	want := dialect.Usage{Prompt: 10, Completion: 5, CacheRead: 4}
	if !progress.Done || !progress.Started || !progress.BoundReasoning || progress.UpstreamID != "resp_1" || progress.FinishReason != "stop" ||
		progress.NativeFinishReason != "completed" || progress.ServiceTier != "default" || progress.Usage != want {
		t.Errorf("%+v", progress)
	}
	secret := seal{Endpoint: meta.Endpoint, Type: dialect.ReasoningEncrypted, Format: dialect.FormatResponses, ID: "rs_1"}.close("blob")
	out = string(pipe.Finish([]byte(out)))
	var kinds []string
	var final object
	body, ended := strings.CutSuffix(out, done)
	for part := range strings.SplitSeq(strings.TrimSuffix(body, "\n\n"), "\n\n") {
		var event object
		if err := json.Unmarshal([]byte(strings.TrimPrefix(part, "data: ")), &event); err != nil {
			t.Fatalf("%v in %q", err, part)
		}
		if number := int(event["sequence_number"].(float64)); number != len(kinds) {
			t.Errorf("row 136: number %d, want %d", number, len(kinds))
		}
		kinds = append(kinds, strings.TrimPrefix(event["type"].(string), "response."))
		if response, ok := event["response"].(object); ok {
			final = response
			if response["id"] != meta.ID || response["model"] != meta.Model || response["created_at"] == nil {
				t.Errorf("%v", response)
			}
			if first := len(kinds) == 1; first && (response["user"] != "bob" || response["created_at"] != 5.0 || response["future"] == nil || response["frequency_penalty"] != nil) {
				t.Errorf("%v", response)
			}
		}
		if item, ok := event["item"].(object); ok && item["type"] == "reasoning" && item["encrypted_content"] != secret {
			t.Errorf("the item is %v", item)
		}
	}
	if diff := cmp.Diff([]string{"created", "output_item.added", "output_text.delta", "output_item.done", "completed"}, kinds); diff != "" || !ended {
		t.Errorf("%s, ended: %t", diff, ended)
	}
	if item := final["output"].([]any)[0].(object); item["encrypted_content"] != secret || final["openrouter_metadata"] == nil || final["completed_at"] != 1700000001.0 {
		t.Errorf("%v", final)
	}
	if _, has := final["presence_penalty"]; !has {
		t.Error("strict clients demand presence_penalty")
	}
	counts := object{
		"input_tokens": 10.0, "input_tokens_details": object{"cached_tokens": 4.0, "new": 1.0}, "output_tokens": 5.0,
		"output_tokens_details": object{"reasoning_tokens": 0.0}, "total_tokens": 15.0, "cost": 0.003, "is_byok": false,
		"cost_details": object{"upstream_inference_cost": 0.003, "upstream_inference_input_cost": 0.001, "upstream_inference_output_cost": 0.002},
	}
	if diff := cmp.Diff(counts, final["usage"]); diff != "" {
		t.Error(diff)
	}
}

// The same of an answer that is no stream.
func TestWholePasses(t *testing.T) {
	var event struct{ Response json.RawMessage }
	if err := json.Unmarshal([]byte(closing), &event); err != nil {
		t.Fatal(err)
	}
	request, _ := Client{}.Parse([]byte(`{"input":"hi"}`))
	pipe := dialect.NewPipe(Client{}, Provider{}, request, meta)
	out, err := pipe.Whole(nil, event.Response)
	var whole object
	if err != nil || json.Unmarshal(out, &whole) != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if whole["id"] != meta.ID || whole["model"] != meta.Model || whole["usage"].(object)["cost"] != 0.003 || whole["openrouter_metadata"] == nil ||
		!strings.HasPrefix(whole["output"].([]any)[0].(object)["encrypted_content"].(string), "blob.") || !pipe.Progress().Done {
		t.Errorf("%s", out)
	}
}

// What a provider does not count or announce, the gateway does.
func TestEventsOfALooseProvider(t *testing.T) {
	out, pipe, err := pass(t, wanted, `{"type":"response.output_text.delta","delta":"a"}`+"\n"+`{"type":"response.output_text.delta","sequence_number":7,"delta":"b"}`+"\n"+endOf)
	if err != nil {
		t.Fatal(err)
	}
	out = string(pipe.Finish([]byte(out)))
	for _, want := range []string{
		`data: {"type":"response.created","sequence_number":0,`, `{"type":"response.output_text.delta","sequence_number":2,"delta":"a"}`,
		`{"type":"response.output_text.delta","sequence_number":3,"delta":"b"}`, `{"type":"response.completed","sequence_number":4,`,
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%s is missing in %s", want, out)
		}
	}
}

// A stream that breaks off fails with the items that were whole.
func TestRow137PassedFailure(t *testing.T) {
	out, pipe, err := pass(t, wanted, created+thoughtDone+`{"type":"response.failed","response":{"status":"failed","error":{"code":"server_error","message":"oops"}}}`)
	if err == nil {
		t.Fatal("it did not fail")
	}
	out = string(pipe.Fail([]byte(out), &dialect.Error{Status: 502, Type: "provider_unavailable", Message: "oops"}))
	if !strings.Contains(out, `{"type":"response.failed","sequence_number":2,"response":{"id":"`+meta.ID+`"`) || !strings.Contains(out, `"error":{"code":"server_error","message":"oops"}`) ||
		strings.Count(out, `"encrypted_content":"blob.`) != 2 || !strings.Contains(out, `"error_type":"provider_unavailable"`) || !strings.HasSuffix(out, done) {
		t.Errorf("%s", out)
	}
}

// Row 99: without reasoning the items are others, and the answer is written anew.
func TestHiddenReasoningIsNotPassed(t *testing.T) {
	out, pipe, err := pass(t, `{"input":"hi","stream":true,"reasoning":{"exclude":true}}`, created+ahead+thoughtDone+closing)
	if err != nil {
		t.Fatal(err)
	}
	got := receive(t, string(pipe.Finish([]byte(out))))
	if text, _ := json.Marshal(got.final["output"]); strings.Contains(string(text), "reasoning") || !strings.Contains(string(text), "hey") || pipe.Progress().BoundReasoning {
		t.Errorf("%s", text)
	}
}

// A client gets what it asked for when the provider does otherwise.
func TestStreamingDisagreementOfResponses(t *testing.T) {
	out, pipe, err := pass(t, `{"input":"hi"}`, created+ahead+closing)
	if err != nil || out != "" {
		t.Fatalf("%v: %s", err, out)
	}
	var whole object
	if err := json.Unmarshal(pipe.Finish(nil), &whole); err != nil || whole["status"] != "completed" {
		t.Errorf("%v: %v", err, whole)
	}
	request, _ := Client{}.Parse([]byte(wanted))
	streamed, err := dialect.NewPipe(Client{}, Provider{}, request, meta).Whole(nil, []byte(`{"status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"hey"}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	receive(t, string(streamed))
}

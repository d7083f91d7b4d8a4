package responses

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
)

func said(text string) dialect.Part { return dialect.Part{Kind: dialect.PartText, Text: text} }

func TestItems(t *testing.T) {
	chat := chatOf(t, `{"instructions":"be brief","input":[
		{"role":"developer","content":"and kind"},
		{"type":"message","role":"user","content":[
			{"type":"input_text","text":"look","cache_control":{"type":"ephemeral"}},
			{"type":"input_image","image_url":"data:image/PNG;base64,aa","detail":"high"},
			{"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,bb"},
			{"type":"input_file","file_url":"https://a/b.pdf"},
			{"type":"input_audio","input_audio":{"data":"cc","format":"wav"}},
			{"type":"input_video","video_url":"https://a/b.mp4"}]},
		{"type":"message","id":"msg_1","status":"completed","role":"assistant","content":[
			{"type":"output_text","text":"I see","annotations":[],"logprobs":[]},{"type":"refusal","refusal":"no"}]},
		{"type":"function_call","id":"fc_1","call_id":"x","name":"f","arguments":"{\"a\":1}","status":"completed"},
		{"type":"function_call","call_id":"y","name":"g","arguments":""},
		{"type":"function_call_output","call_id":"x","output":"one"},
		{"type":"function_call_output","call_id":"y","output":[{"type":"input_text","text":"two"},{"type":"input_image","image_url":"https://a/c.png"}]},
		{"role":"user","content":"and?"},{"role":"user","content":"well?"}]}`)
	image := dialect.Part{Kind: dialect.PartImage, Media: &dialect.Media{URL: "https://a/c.png"}}
	cached := said("look")
	cached.CacheControl = []byte(`{"type":"ephemeral"}`)
	want := []dialect.Message{
		{Role: dialect.RoleSystem, Parts: []dialect.Part{said("be brief")}},
		{Role: dialect.RoleDeveloper, Parts: []dialect.Part{said("and kind")}},
		{Role: dialect.RoleUser, Parts: []dialect.Part{
			cached,
			{Kind: dialect.PartImage, Media: &dialect.Media{Data: "aa", Type: "image/png", Detail: "high"}},
			{Kind: dialect.PartFile, Media: &dialect.Media{Data: "bb", Type: "application/pdf", Name: "a.pdf"}},
			{Kind: dialect.PartFile, Media: &dialect.Media{URL: "https://a/b.pdf"}},
			{Kind: dialect.PartAudio, Media: &dialect.Media{Data: "cc", Type: "wav"}},
			{Kind: dialect.PartVideo, Media: &dialect.Media{URL: "https://a/b.mp4"}},
		}},
		{Role: dialect.RoleAssistant, Parts: []dialect.Part{
			said("I see"),
			{Kind: dialect.PartRefusal, Text: "no"},
			{Kind: dialect.PartToolCall, Call: &dialect.ToolCall{ID: "x", Name: "f", Arguments: `{"a":1}`}},
			{Kind: dialect.PartToolCall, Call: &dialect.ToolCall{ID: "y", Name: "g"}},
		}},
		{Role: dialect.RoleTool, Parts: []dialect.Part{
			{Kind: dialect.PartToolResult, Result: &dialect.ToolResult{CallID: "x", Parts: []dialect.Part{said("one")}}},
			{Kind: dialect.PartToolResult, Result: &dialect.ToolResult{CallID: "y", Parts: []dialect.Part{said("two"), image}}},
		}},
		{Role: dialect.RoleUser, Parts: []dialect.Part{said("and?")}},
		{Role: dialect.RoleUser, Parts: []dialect.Part{said("well?")}},
	}
	if diff := cmp.Diff(want, chat.Messages); diff != "" {
		t.Error(diff)
	}
}

func TestInputModalities(t *testing.T) {
	request := parse(t, `{"input":[{"role":"user","content":[{"type":"input_image","image_url":"https://a/b"},
		{"type":"input_file","file_id":"f"},{"type":"input_image","file_id":"g"}]}]}`)
	if diff := cmp.Diff([]string{"file", "image"}, request.InputModalities); diff != "" {
		t.Error(diff)
	}
}

// A conversation is the same while it goes on, and another with another beginning.
func TestConversation(t *testing.T) {
	first := parse(t, `{"instructions":"i","input":"hi"}`).Conversation
	for body, same := range map[string]bool{
		`{"input":"hi","instructions":"i","model":"m/x"}`:                                                           true,
		`{"instructions":"i","input":[{"role":"user","content":"hi"},{"role":"assistant","content":"hey"}]}`:        true,
		`{"input":[{"role":"system","content":"i"},{"role":"user","content":[{"type":"input_text","text":"hi"}]}]}`: true,
		`{"instructions":"j","input":"hi"}`:                                                                         false,
		`{"instructions":"i","input":"ho"}`:                                                                         false,
		`{"instructions":"i","input":[{"role":"developer","content":"late"},{"role":"user","content":"hi"}]}`:       true,
	} {
		if got := parse(t, body).Conversation == first; got != same {
			t.Errorf("%s: same is %t", body, got)
		}
	}
}

func TestRow102SealedReasoning(t *testing.T) {
	own := seal{Endpoint: "m/x|anthropic", Type: dialect.ReasoningText, Format: dialect.FormatAnthropic}.close("sig.with.dots")
	hidden := seal{Endpoint: "m/y|openai", Type: dialect.ReasoningEncrypted, Format: "openai-responses-v1"}.close("blob")
	request := parse(t, `{"input":[{"role":"user","content":"hi"},
		{"type":"reasoning","id":"rs_1","summary":[],"content":[{"type":"reasoning_text","text":"hm"}],"encrypted_content":"`+own+`"},
		{"type":"reasoning","id":"rs_2","summary":[{"type":"summary_text","text":"short"}],"encrypted_content":"`+hidden+`"},
		{"type":"reasoning","id":"rs_3","summary":[],"content":[{"type":"reasoning_text","text":"bare"}],"encrypted_content":"gAAAA.foreign"},
		{"type":"function_call","call_id":"x","name":"f","arguments":"{}"},
		{"type":"function_call_output","call_id":"x","output":"one"}]}`)
	chat, _ := request.Chat()
	var got []dialect.ReasoningDetail
	for _, part := range chat.Messages[1].Parts {
		if part.Reasoning != nil {
			got = append(got, *part.Reasoning)
		}
	}
	want := []dialect.ReasoningDetail{
		{Type: dialect.ReasoningText, Text: "hm", Signature: "sig.with.dots", Format: dialect.FormatAnthropic, Index: 1, Endpoint: "m/x|anthropic"},
		{Type: dialect.ReasoningSummary, Text: "short", Format: dialect.FormatResponses, Index: 2, Endpoint: "m/y|openai"},
		{Type: dialect.ReasoningEncrypted, Data: "blob", Format: dialect.FormatResponses, Index: 2, Endpoint: "m/y|openai"},
		{Type: dialect.ReasoningText, Text: "bare", Format: dialect.FormatUnknown, Index: 3},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !request.BoundReasoning || request.LastModel != "m/y" {
		t.Errorf("bound is %t, the last model %q", request.BoundReasoning, request.LastModel)
	}
}

// Reasoning is bound while calls go on with it, in whichever order the two come.
func TestBoundReasoning(t *testing.T) {
	thought := `{"type":"reasoning","summary":[],"encrypted_content":"` + seal{Endpoint: "m/x|a", Type: dialect.ReasoningEncrypted}.close("blob") + `"}`
	call := `{"type":"function_call","call_id":"x","name":"f","arguments":"{}"}`
	user := `{"role":"user","content":"hi"}`
	for _, test := range []struct {
		items []string
		bound bool
	}{
		{[]string{user, thought, call}, true},
		{[]string{user, call, thought}, true},
		{[]string{user, thought}, false},
		{[]string{user, call}, false},
		{[]string{user, thought, call, user}, false},
		{[]string{user, thought, user, call}, false},
	} {
		if got := parse(t, `{"input":[`+strings.Join(test.items, ",")+`]}`).BoundReasoning; got != test.bound {
			t.Errorf("%s: bound is %t", test.items, got)
		}
	}
}

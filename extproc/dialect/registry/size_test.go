package registry_test

import (
	"strings"
	"testing"
)

// Many clients escape what is not ASCII: that must not make a prompt longer than it is,
// or a model that has room for it would be passed over.
func TestEscapedPromptsAreAsLongAsOthers(t *testing.T) {
	for name, of := range map[string]struct{ path, body string }{
		"chat":                     {chatPath, `{"model":"m/x","messages":[{"role":"system","content":"#"},{"role":"user","content":[{"type":"text","text":"#"}]}]}`},
		"messages":                 {messagesPath, `{"model":"m/x","max_tokens":9,"system":"#","messages":[{"role":"user","content":"#"},{"role":"user","content":[{"type":"text","text":"#"}]}]}`},
		"responses":                {responsesPath, `{"model":"m/x","instructions":"#","input":[{"role":"user","content":"#"},{"role":"user","content":[{"type":"input_text","text":"#"}]}]}`},
		"responses with one input": {responsesPath, `{"model":"m/x","input":"#"}`},
		"generateContent":          {googlePath, `{"systemInstruction":{"parts":[{"text":"#"}]},"contents":[{"role":"user","parts":[{"text":"#"}]}]}`},
		"embeddings":               {"/api/v1/embeddings", `{"model":"m/x","input":["#","#"]}`},
		"rerank":                   {"/api/v1/rerank", `{"model":"m/x","query":"#","documents":["#",{"text":"#"}]}`},
	} {
		size := func(text string) int64 {
			return parseAt(t, of.path, strings.ReplaceAll(of.body, "#", text)).PromptBytes
		}
		plain, texts := size("язык 😀"), int64(strings.Count(of.body, "#"))
		if want := texts * int64(len("язык 😀")); plain != want {
			t.Errorf("%s: the prompt has %d bytes, want %d", name, plain, want)
		}
		if escaped := size(`\u044f\u0437\u044B\u043a\u0020\ud83d\ude00`); escaped != plain {
			t.Errorf("%s: the prompt has %d bytes, and %d when it is escaped", name, plain, escaped)
		}
	}
}

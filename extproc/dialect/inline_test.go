package dialect_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/anthropic"
	"github.com/switchyard/switchyard/extproc/dialect/gemini"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/extproc/dialect/responses"
)

// inliner takes no image from a URL, and all else.
type inliner struct{ dialect.Provider }

func (inliner) NeedsBytes(part *dialect.Part, _ dialect.Target) bool {
	return part.Kind == dialect.PartImage
}

const picture = "https://a.test/p?sig=1"

// The same conversation in the words of each client: an image, the same again, a file,
// and a tool that shows another image.
var withMedia = map[string]struct {
	client dialect.Client
	body   string
}{
	"chat completions": {openai.Client{}, `{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"` + picture + `","detail":"low"}},
		{"type":"image_url","image_url":{"url":"` + picture + `"}},{"type":"file","file":{"filename":"f.pdf","file_data":"https://a.test/f.pdf"}}]},
		{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},
		{"role":"tool","tool_call_id":"c","content":[{"type":"image_url","image_url":{"url":"HTTP://b.test/q"}},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]}]}`},
	"messages": {anthropic.Client{}, `{"max_tokens":9,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"` + picture + `"}},
		{"type":"image","source":{"type":"url","url":"` + picture + `"}},{"type":"document","source":{"type":"url","url":"https://a.test/f.pdf"}}]},
		{"role":"assistant","content":[{"type":"tool_use","id":"c","name":"f","input":{}}]},
		{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":[{"type":"image","source":{"type":"url","url":"HTTP://b.test/q"}}]}]}]}`},
	"responses": {responses.Client{}, `{"input":[{"role":"user","content":[{"type":"input_image","image_url":"` + picture + `"},{"type":"input_image","image_url":"` + picture + `"},
		{"type":"input_file","filename":"f.pdf","file_url":"https://a.test/f.pdf"}]},
		{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},
		{"type":"function_call_output","call_id":"c","output":[{"type":"input_image","image_url":"HTTP://b.test/q"}]}]}`},
}

// Row 122: what a provider does not fetch is found, wherever it stands, and what was
// fetched takes its place in a copy.
func TestRow122MediaInline(t *testing.T) {
	for name, test := range withMedia {
		t.Run(name, func(t *testing.T) {
			request, err := test.client.Parse([]byte(test.body))
			if err != nil {
				t.Fatal(err)
			}
			remote, err := dialect.RemoteMedia(request, inliner{gemini.Provider{}}, dialect.Target{})
			if err != nil {
				t.Fatal(err)
			}
			shown := dialect.Remote{Kind: dialect.PartImage, URL: "HTTP://b.test/q"}
			seen := dialect.Remote{Kind: dialect.PartImage, URL: picture}
			if diff := cmp.Diff([]dialect.Remote{seen, shown}, remote); diff != "" {
				t.Fatalf("(-want +got):\n%s", diff)
			}
			before, _ := request.Chat()
			inlined, err := request.WithMedia(map[dialect.Remote]dialect.Media{
				seen: {Data: "QQ==", Type: "image/png"}, shown: {Data: "Qg==", Type: "image/gif"},
			}).Chat()
			if err != nil {
				t.Fatal(err)
			}
			first := inlined.Messages[0].Parts
			want := dialect.Media{Data: "QQ==", Type: "image/png", Detail: before.Messages[0].Parts[0].Media.Detail}
			if *first[0].Media != want || first[1].Media.Data != "QQ==" || first[2].Media.URL != "https://a.test/f.pdf" {
				t.Errorf("user: %+v %+v %+v", first[0].Media, first[1].Media, first[2].Media)
			}
			if got := inlined.Messages[2].Parts[0].Result.Parts[0].Media; *got != (dialect.Media{Data: "Qg==", Type: "image/gif"}) {
				t.Errorf("tool: %+v", got)
			}
			if again, _ := request.Chat(); again.Messages[0].Parts[0].Media.URL != picture || again.Messages[2].Parts[0].Result.Parts[0].Media.URL == "" {
				t.Error("the request that attempts share was written to")
			}
		})
	}
}

// Nothing is fetched for a provider of the client's own dialect, nor for one that
// fetches itself.
func TestNothingRemote(t *testing.T) {
	request, err := openai.Client{}.Parse([]byte(withMedia["chat completions"].body))
	if err != nil {
		t.Fatal(err)
	}
	for _, provider := range []dialect.Provider{inliner{openai.Provider{}}, anthropic.Provider{}} {
		if remote, err := dialect.RemoteMedia(request, provider, dialect.Target{}); err != nil || remote != nil {
			t.Errorf("%s: %v, %v", provider.Name(), remote, err)
		}
	}
}

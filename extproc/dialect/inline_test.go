package dialect_test

import (
	stdcmp "cmp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/anthropic"
	"github.com/switchyard/switchyard/extproc/dialect/gemini"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/extproc/dialect/registry"
	"github.com/switchyard/switchyard/extproc/dialect/responses"
	"github.com/switchyard/switchyard/extproc/dialect/vertex"
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

// Row 122: providers that fetch nothing get the bytes, whichever API the client speaks,
// that of the provider included; and without them they refuse.
func TestRow122ProvidersThatFetchNothing(t *testing.T) {
	seen := dialect.Remote{Kind: dialect.PartImage, URL: picture}
	image := map[string]string{"ollama": `"images":["QQ=="`, "bedrock": `{"image":{"format":"png","source":{"bytes":"QQ=="}}}`}
	file := map[string]string{"bedrock": `"source":{"bytes":"RmlsZQ=="}`}
	providers := registry.Providers()
	for _, name := range []string{"bedrock", "anthropic_bedrock", "anthropic_vertex", "ollama"} {
		provider := providers[name]
		for api, test := range withMedia {
			t.Run(name+" of "+api, func(t *testing.T) {
				body := test.body
				if name == "ollama" { // which takes no files
					body = strings.NewReplacer(`,{"type":"file","file":{"filename":"f.pdf","file_data":"https://a.test/f.pdf"}}`, "",
						`,{"type":"document","source":{"type":"url","url":"https://a.test/f.pdf"}}`, "",
						`{"type":"input_file","filename":"f.pdf","file_url":"https://a.test/f.pdf"}`, `{"type":"input_text","text":"x"}`).Replace(body)
				}
				request, err := test.client.Parse([]byte(body))
				if err != nil {
					t.Fatal(err)
				}
				target := dialect.Target{Model: "m"}
				if _, err := provider.Request(request, target); err == nil || !strings.Contains(err.Error(), "base64") {
					t.Errorf("with URLs: %v", err)
				}
				remote, err := dialect.RemoteMedia(request, provider, target)
				if err != nil || !slices.Contains(remote, seen) || (name != "ollama") != (len(remote) == 3) {
					t.Fatalf("%v, %v", remote, err)
				}
				fetched := map[dialect.Remote]dialect.Media{}
				for _, piece := range remote {
					fetched[piece] = dialect.Media{Data: "QQ==", Type: "image/png"}
					if piece.Kind == dialect.PartFile {
						fetched[piece] = dialect.Media{Data: "RmlsZQ==", Type: "application/pdf"}
					}
				}
				made, err := provider.Request(request.WithMedia(fetched), target)
				if err != nil {
					t.Fatal(err)
				}
				want := stdcmp.Or(image[name], `"source":{"type":"base64","media_type":"image/png","data":"QQ=="}`)
				wantFile := stdcmp.Or(file[name], `"source":{"type":"base64","media_type":"application/pdf","data":"RmlsZQ=="}`)
				sent := string(made.Body)
				if !strings.Contains(sent, want) || name != "ollama" && !strings.Contains(sent, wantFile) || strings.Contains(sent, ".test/") {
					t.Errorf("sent %s", sent)
				}
			})
		}
	}
}

// Of a request that is passed on, nothing but the sources changes.
func TestMediaInsidePassedRequest(t *testing.T) {
	const (
		head  = `{"max_tokens":9,"messages":[{"role":"user","content":[{"type":"document","title":"t","source":{"type":"content","content":[{"type":"image","new":1,"source":`
		tail  = `}]}},{"type":"tool_use","id":"c","name":"f","input":{"source":{"type":"url","url":"` + picture + `"}}}]},{"role":"user","content":"hi"}],"system":"s"}`
		inner = `{"type":"base64","media_type":"image/png","data":"QQ=="}`
	)
	request, err := anthropic.Client{}.Parse([]byte(head + `{"type":"url","url":"` + picture + `"}` + tail))
	if err != nil {
		t.Fatal(err)
	}
	seen := dialect.Remote{Kind: dialect.PartImage, URL: picture}
	provider := vertex.NewAnthropic()
	remote, err := dialect.RemoteMedia(request, provider, dialect.Target{})
	if err != nil || !slices.Equal(remote, []dialect.Remote{seen}) {
		t.Fatalf("%v, %v", remote, err)
	}
	made, err := provider.Request(request.WithMedia(map[dialect.Remote]dialect.Media{seen: {Data: "QQ==", Type: "image/png"}}), dialect.Target{})
	if want := `{"anthropic_version":"vertex-2023-10-16",` + head[1:] + inner + tail; err != nil || string(made.Body) != want {
		t.Errorf("%v\n got %s\nwant %s", err, made.Body, want)
	}
	// What is there is no image that the API takes.
	_, err = provider.Request(request.WithMedia(map[dialect.Remote]dialect.Media{seen: {Data: "QQ==", Type: "audio/wav"}}), dialect.Target{})
	if err == nil || !strings.Contains(err.Error(), "audio/wav") {
		t.Errorf("%v", err)
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

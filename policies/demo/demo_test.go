package demo

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"go.uber.org/goleak"
)

func ask(t *testing.T, base, path, body string) (int, string) {
	t.Helper()
	response, err := http.Post(base+path, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func start(t *testing.T) *Servers {
	t.Helper()
	servers, err := Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(servers.Close)
	return servers
}

func TestEveryAnswerSaysThatItIsADemo(t *testing.T) {
	servers := start(t)
	for slug, path := range map[string]string{"demo-parrot": "/chat/completions", "demo-sage": "/messages"} {
		for _, stream := range []string{"false", "true"} {
			body := `{"model":"demo","max_tokens":100,"stream":` + stream + `,"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]}`
			status, text := ask(t, servers.Config().GetProviders()[slug].GetBaseUrl(), path, body)
			if status != http.StatusOK || !strings.Contains(text, "demo") || !strings.Contains(text, "hi") {
				t.Errorf("%s, stream %s: %d %s", slug, stream, status, text)
			}
		}
	}
}

func TestUnreliableFailsEveryOtherRequest(t *testing.T) {
	base := start(t).Config().GetProviders()["demo-unreliable"].GetBaseUrl()
	body := `{"model":"demo","messages":[{"role":"user","content":"hi"}]}`
	for i, want := range []int{503, 200, 503, 200} {
		if status, _ := ask(t, base, "/chat/completions", body); status != want {
			t.Errorf("request %d: %d, want %d", i+1, status, want)
		}
	}
}

// asked is a request to a dialect's path at a demo provider of that dialect.
type asked struct{ slug, path, body string }

func TestMentionedToolIsCalled(t *testing.T) {
	servers := start(t)
	const parameters = `{"type":"object","required":["city","days","unit","deep"],"properties":{
		"city":{"type":"string"},"days":{"type":"integer"},"unit":{"enum":["C","F"]},"deep":true,"optional":{"type":"string"}}}`
	const openAITool = `{"type":"function","function":{"name":"forecast","parameters":` + parameters + `}}`
	const anthropicTool = `{"name":"forecast","input_schema":` + parameters + `}`
	const question = `"messages":[{"role":"user","content":"use forecast, 3 days, for Paris!"}]`
	tests := []struct {
		name  string
		asked asked
		want  []string
	}{
		{
			"chat completions", asked{"demo-parrot", "/chat/completions", `{` + question + `,"tools":[` + openAITool + `]}`},
			[]string{`"finish_reason":"tool_calls"`, `"name":"forecast"`, `"arguments":"{\"city\":\"Paris\",\"days\":3,\"deep\":{},\"unit\":\"C\"}"`, `"completion_tokens":2`},
		},
		{
			"chat completions, streamed", asked{"demo-parrot", "/chat/completions", `{"stream":true,` + question + `,"tools":[` + openAITool + `]}`},
			[]string{`"finish_reason":"tool_calls"`, `"index":0`, `"arguments":"{\"city\":\"Paris\"`, "data: [DONE]\n\n"},
		},
		{
			"messages", asked{"demo-sage", "/messages", `{` + question + `,"tools":[` + anthropicTool + `]}`},
			[]string{`"stop_reason":"tool_use"`, `"name":"forecast"`, `"input":{"city":"Paris","days":3,"deep":{},"unit":"C"}`, `"output_tokens":2`},
		},
		{
			"messages, streamed", asked{"demo-sage", "/messages", `{"stream":true,` + question + `,"tools":[` + anthropicTool + `]}`},
			[]string{`"stop_reason":"tool_use"`, `"input":{}`, `"partial_json":"{\"city\":\"Paris\"`, "event: message_stop\n"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			status, text := ask(t, servers.Config().GetProviders()[test.asked.slug].GetBaseUrl(), test.asked.path, test.asked.body)
			for _, want := range test.want {
				if status != http.StatusOK || !strings.Contains(text, want) {
					t.Errorf("%d, no %s in %s", status, want, text)
				}
			}
		})
	}
}

// An agent sends the result back, and would otherwise be in a circle.
func TestToolIsNotCalledForItsOwnResult(t *testing.T) {
	servers := start(t)
	tests := map[string]asked{
		"chat completions": {"demo-parrot", "/chat/completions", `{"tools":[{"function":{"name":"clock"}}],
			"messages":[{"role":"user","content":"use clock"},{"role":"assistant","content":null},{"role":"tool","content":"clock says noon"}]}`},
		"messages": {"demo-sage", "/messages", `{"tools":[{"name":"clock"}],
			"messages":[{"role":"user","content":"use clock"},{"role":"user","content":[{"type":"tool_result","content":[{"type":"text","text":"clock says noon"}]}]}]}`},
	}
	for name, asked := range tests {
		t.Run(name, func(t *testing.T) {
			_, text := ask(t, servers.Config().GetProviders()[asked.slug].GetBaseUrl(), asked.path, asked.body)
			if !strings.Contains(text, "The tool said: clock says noon") {
				t.Errorf("answered %s", text)
			}
		})
	}
}

func TestBoundOnTokensIsKept(t *testing.T) {
	servers := start(t)
	tests := map[string]struct {
		asked asked
		want  []string
	}{
		"chat completions": {
			asked{"demo-parrot", "/chat/completions", `{"max_completion_tokens":3,"messages":[{"role":"user","content":"one two"}]}`},
			[]string{`"content":"This is Demo "`, `"finish_reason":"length"`, `"completion_tokens":3,"prompt_tokens":2,"total_tokens":5`},
		},
		"messages": {
			asked{"demo-sage", "/messages", `{"max_tokens":3,"system":"Be brief.","messages":[{"role":"user","content":"one two"}]}`},
			[]string{`"text":"This is Demo "`, `"stop_reason":"max_tokens"`, `"input_tokens":4,"output_tokens":3`},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, text := ask(t, servers.Config().GetProviders()[test.asked.slug].GetBaseUrl(), test.asked.path, test.asked.body)
			for _, want := range test.want {
				if !strings.Contains(text, want) {
					t.Errorf("no %s in %s", want, text)
				}
			}
		})
	}
}

// As with OpenAI, and so a gateway that needs the usage has to ask.
func TestStreamedUsageComesOnlyWhenAskedFor(t *testing.T) {
	base := start(t).Config().GetProviders()["demo-parrot"].GetBaseUrl()
	for options, want := range map[string]bool{`{"include_usage":true}`: true, `{}`: false} {
		_, text := ask(t, base, "/chat/completions", `{"stream":true,"max_tokens":1,"stream_options":`+options+`,"messages":[{"role":"user","content":"hi"}]}`)
		if got := strings.Contains(text, `"usage"`); got != want {
			t.Errorf("%s: usage %t, want %t", options, got, want)
		}
	}
}

// Whatever a schema is, the arguments are JSON, and nothing panics.
func FuzzArguments(f *testing.F) {
	f.Fuzz(func(t *testing.T, parameters, asked string) {
		offered := tool{Name: "t", InputSchema: jsontext.Value(parameters)}
		if arguments := offered.arguments(asked); !arguments.IsValid() {
			t.Errorf("%q and %q give %s", parameters, asked, arguments)
		}
	})
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

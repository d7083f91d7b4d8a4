package registry_test

import (
	"strings"
	"testing"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/registry"
)

// Where clients of each dialect ask.
const (
	chatPath      = "/api/v1/chat/completions"
	messagesPath  = "/api/v1/messages"
	responsesPath = "/api/v1/responses"
	googlePath    = "/api/v1/models/m/x:generateContent"
)

// askers are requests of each, in two pieces around what is asked for.
var askers = map[string][2]string{
	chatPath:              {`{"model":"m/x",`, `,"messages":[{"role":"user","content":"hi"}],"unheard_of":1}`},
	"/api/v1/completions": {`{"model":"m/x",`, `,"prompt":"hi"}`},
	messagesPath:          {`{"model":"m/x","max_tokens":9000,`, `,"messages":[{"role":"user","content":"hi"}],"unheard_of":1}`},
	responsesPath:         {`{"model":"m/x",`, `,"input":"hi","unheard_of":1}`},
	googlePath:            {`{"generationConfig":{"temperature":1,`, `},"contents":[{"role":"user","parts":[{"text":"hi"}]}],"unheard_of":1}`},
}

func parserAt(t *testing.T, path string) dialect.Client {
	t.Helper()
	client, ok := registry.Clients().At(path)
	if !ok {
		t.Fatal("no client at ", path)
	}
	if reader, ok := client.(dialect.HeadReader); ok {
		var err error
		if client, err = reader.ReadHead(dialect.Head{Path: path, Header: func(string) string { return "" }}); err != nil {
			t.Fatal(err)
		}
	}
	return client
}

func parseAt(t *testing.T, path, body string) *dialect.Request {
	t.Helper()
	request, err := parserAt(t, path).Parse([]byte(body))
	if err != nil {
		t.Fatalf("%s: %s: %v", path, body, err)
	}
	return request
}

// Row 100: each dialect has its own words for how much to think, and for none at all.
func TestRow100EffortOfEveryClient(t *testing.T) {
	for _, test := range []struct{ path, words, want, asHigh string }{
		{chatPath, `"reasoning":{"effort":"none"}`, "none", `"reasoning":{"effort":"high"}`},
		{chatPath, `"reasoning":{"enabled":false,"exclude":true}`, "none", `"reasoning":{"effort":"high","exclude":true}`},
		{chatPath, `"reasoning_effort":"none"`, "none", `"reasoning_effort":"high"`},
		{chatPath, `"reasoning_effort":"low","reasoning":{"effort":"low"}`, "low", `"reasoning":{"effort":"high"}`},
		{chatPath, `"reasoning":{"enabled":true}`, "medium", `"reasoning":{"effort":"high"}`},
		{chatPath, `"reasoning":{"max_tokens":2000}`, "", ""},
		{chatPath, `"temperature":1`, "", ""},
		{"/api/v1/completions", `"reasoning":{"effort":"none"}`, "none", ""},
		{messagesPath, `"thinking":{"type":"disabled"}`, "none", `"output_config":{"effort":"high"},"thinking":{"type":"adaptive"}`},
		{messagesPath, `"thinking":{"type":"adaptive"},"output_config":{"effort":"max"}`, "max", `"output_config":{"effort":"high"},"messages":[{"role":"user","content":"hi"}],"unheard_of":1,"thinking":{"type":"adaptive"}`},
		{messagesPath, `"thinking":{"type":"disabled"},"output_config":null`, "none", `"output_config":{"effort":"high"},"messages":[{"role":"user","content":"hi"}],"unheard_of":1,"thinking":{"type":"adaptive"}`},
		{messagesPath, `"output_config":{"effort":"max"}`, "", ""},
		{messagesPath, `"thinking":{"type":"enabled","budget_tokens":2000}`, "", ""},
		{responsesPath, `"reasoning":{"effort":"none","summary":"auto"}`, "none", `"reasoning":{"effort":"high","summary":"auto"}`},
		{responsesPath, `"reasoning":{"enabled":false}`, "none", `"reasoning":{"effort":"high"}`},
		{googlePath, `"thinkingConfig":{"thinkingBudget":0,"includeThoughts":true}`, "none", `"thinkingConfig":{"includeThoughts":true,"thinkingBudget":24576}`},
		{googlePath, `"thinking_config":{"thinking_level":"low"}`, "low", `"thinkingConfig":{"thinkingLevel":"HIGH"}`},
		{googlePath, `"thinkingConfig":{"thinkingBudget":-1}`, "", ""},
	} {
		asker := askers[test.path]
		body := asker[0] + test.words + asker[1]
		request := parseAt(t, test.path, body)
		if request.Effort != test.want {
			t.Errorf("%s: %s: effort %q, want %q", test.path, test.words, request.Effort, test.want)
		}
		if test.asHigh == "" {
			continue
		}
		raw := string(request.Raw)
		again := string(parserAt(t, test.path).(dialect.Efforter).WithEffort(request.Raw, "high"))
		if string(request.Raw) != raw || parseAt(t, test.path, again).Effort != "high" && test.path != googlePath {
			t.Errorf("%s: %s: rewritten %s", test.path, test.words, again)
		}
		if !strings.Contains(again, test.asHigh) || test.path != "/api/v1/completions" && !strings.Contains(again, `"unheard_of":1`) {
			t.Errorf("%s: %s: rewritten %s\nlacks %s", test.path, test.words, again, test.asHigh)
		}
	}
}

package registry

import (
	"testing"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// read parses a body as it comes to a path.
func read(t *testing.T, path, body string) *dialect.Request {
	t.Helper()
	client, known := Clients().At(path)
	if !known {
		t.Fatalf("no client at %s", path)
	}
	if reader, ok := client.(dialect.HeadReader); ok {
		var err error
		if client, err = reader.ReadHead(dialect.Head{Path: path, Header: func(string) string { return "" }}); err != nil {
			t.Fatal(err)
		}
	}
	request, err := client.Parse([]byte(body))
	if err != nil {
		t.Fatalf("%s %s: %v", path, body, err)
	}
	return request
}

// What is reserved is for as many answers as the provider is asked for, in whichever
// words.
func TestEveryClientTellsHowManyAnswersItWants(t *testing.T) {
	for _, test := range []struct {
		path, body string
		want       int64
	}{
		{"/v1/chat/completions", `{"model":"m","n":8,"max_tokens":100,"messages":[{"role":"user","content":"a"}]}`, 8},
		{"/v1/chat/completions", `{"model":"m","n":8.0,"messages":[{"role":"user","content":"a"}]}`, 8},
		{"/v1/chat/completions", `{"model":"m","n":null,"messages":[{"role":"user","content":"a"}]}`, 0},
		{"/v1/completions", `{"model":"m","n":8,"max_tokens":100,"prompt":"a"}`, 8},
		{"/v1beta/models/m:generateContent", `{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"candidateCount":8,"maxOutputTokens":100}}`, 8},
		{"/v1beta/models/m:generateContent", `{"contents":[{"parts":[{"text":"a"}]}],"generation_config":{"candidate_count":8.0}}`, 8},
		{"/v1/messages", `{"model":"m","max_tokens":100,"messages":[{"role":"user","content":"a"}]}`, 0},
		{"/v1/responses", `{"model":"m","max_output_tokens":100,"input":"a"}`, 0},
	} {
		request := read(t, test.path, test.body)
		if request.Choices != test.want {
			t.Errorf("%s %s: %d choices, want %d", test.path, test.body, request.Choices, test.want)
		}
		if chat, err := request.Chat(); err != nil || max(1, chat.Choices) != max(1, test.want) {
			t.Errorf("%s %s: other dialects are told of %d, %v", test.path, test.body, chat.Choices, err)
		}
	}
}

package provider

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
)

const (
	testClaude = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
	awsID      = "AKIDEXAMPLE"
	awsSecret  = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
)

// startAWS starts a fake and AWS's own client of it.
func startAWS(t *testing.T, fake *Provider, secret string) *bedrockruntime.Client {
	t.Helper()
	server, err := fake.Start(Network{})
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		server.Close()
	})
	return bedrockruntime.New(bedrockruntime.Options{
		Region: "eu-central-1", BaseEndpoint: aws.String(server.URL),
		HTTPClient:  &http.Client{Transport: transport},
		Credentials: credentials.NewStaticCredentialsProvider(awsID, secret, ""),
		// The SDK retries, and counts that in headers of its own, which a gateway has no
		// business sending.
		APIOptions: []func(*middleware.Stack) error{func(stack *middleware.Stack) error {
			_, first := stack.Build.Remove("ClientRequestID")
			_, second := stack.Finalize.Remove("Retry")
			return errors.Join(first, second)
		}},
	})
}

func asked() *bedrockruntime.ConverseInput {
	return &bedrockruntime.ConverseInput{ModelId: aws.String(testClaude), Messages: hello()}
}

func hello() []types.Message {
	return []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "hi"}}}}
}

// The fake is good enough for AWS's own client, which checks checksums and shapes.
func TestAWSClientReadsTheFake(t *testing.T) {
	fake := Bedrock(Config{Key: awsID + ":" + awsSecret})
	client := startAWS(t, fake, awsSecret)
	fake.Enqueue(Answer{Reasoning: "hm", Text: "a b", ToolCalls: []ToolCall{{Name: "f"}}, Usage: Usage{Input: 9, CacheRead: 4, Output: 7}},
		Answer{Reasoning: "hm", Text: "a b", ToolCalls: []ToolCall{{Name: "f"}}}, Stream{End: EndError},
		Failure{Status: http.StatusBadRequest, Message: "words"})
	whole, err := client.Converse(t.Context(), asked())
	if err != nil {
		t.Fatal(err)
	}
	said := whole.Output.(*types.ConverseOutputMemberMessage).Value.Content
	if len(said) != 3 || *whole.Usage.InputTokens != 5 || *whole.Usage.CacheReadInputTokens != 4 || whole.StopReason != types.StopReasonToolUse {
		t.Errorf("%+v", whole)
	}
	text, calls := "", 0
	for event, err := range streamOf(t, client) {
		if err != nil {
			t.Fatal(err)
		}
		switch event := event.(type) {
		case *types.ConverseStreamOutputMemberContentBlockStart:
			calls++
		case *types.ConverseStreamOutputMemberContentBlockDelta:
			if piece, ok := event.Value.Delta.(*types.ContentBlockDeltaMemberText); ok {
				text += piece.Value
			}
		}
	}
	if text != "a b" || calls != 1 {
		t.Errorf("text %q, %d calls", text, calls)
	}
	var unavailable *types.ServiceUnavailableException
	for _, err := range streamOf(t, client) {
		if err != nil && !errors.As(err, &unavailable) {
			t.Errorf("the exception is read as %v", err)
		}
	}
	if unavailable == nil {
		t.Error("no exception in the stream")
	}
	var failed smithy.APIError
	if _, err := client.Converse(t.Context(), asked()); !errors.As(err, &failed) || failed.ErrorMessage() != "words" {
		t.Errorf("error %v", err)
	}
	if violations := fake.Violations(); len(violations) > 0 {
		t.Error(violations)
	}
}

func TestFakeChecksSignatures(t *testing.T) {
	fake := Bedrock(Config{Key: awsID + ":" + awsSecret})
	client := startAWS(t, fake, "another secret")
	if _, err := client.Converse(t.Context(), asked()); err == nil || !strings.Contains(err.Error(), "signature we calculated does not match") {
		t.Errorf("error %v", err)
	}
}

// streamOf yields the events of ConverseStream, and last an error if there is one.
func streamOf(t *testing.T, client *bedrockruntime.Client) func(yield func(types.ConverseStreamOutput, error) bool) {
	t.Helper()
	output, err := client.ConverseStream(t.Context(), &bedrockruntime.ConverseStreamInput{ModelId: aws.String(testClaude), Messages: hello()})
	if err != nil {
		t.Fatal(err)
	}
	return func(yield func(types.ConverseStreamOutput, error) bool) {
		stream := output.GetStream()
		defer func() { _ = stream.Close() }()
		for event := range stream.Events() {
			if !yield(event, nil) {
				return
			}
		}
		if err := stream.Err(); err != nil {
			yield(nil, err)
		}
	}
}

func TestBedrockRefuses(t *testing.T) {
	fake := Bedrock(Config{Key: testKey})
	f := start(t, fake, Network{})
	f.url = f.server.URL + "/model/" + strings.ReplaceAll(testClaude, ":", "%3A") + "/converse"
	const (
		user  = `{"role":"user","content":[{"text":"hi"}]}`
		tools = `"toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object"}}}}]}`
		calls = user + `,{"role":"assistant","content":[{"toolUse":{"toolUseId":"a","name":"f","input":{}}}]}`
		pdf   = `{"document":{"format":"pdf","name":"a","source":{"bytes":"AAAA"}}}`
	)
	messages := func(turns string, members ...string) string {
		return `{"messages":[` + turns + `]` + strings.Join(append([]string{""}, members...), ",") + `}`
	}
	for name, test := range map[string]struct{ body, says string }{
		"an unknown field":             {messages(user, `"foo":1`), "unexpected field: foo"},
		"a model's unknown field":      {messages(user, `"additionalModelRequestFields":{"seed":1}`), "unexpected field: additionalModelRequestFields.seed"},
		"two kinds in a block":         {messages(`{"role":"user","content":[{"text":"a","cachePoint":{"type":"default"}}]}`), "exactly one member"},
		"blank text":                   {messages(`{"role":"user","content":[{"text":" "}]}`), "is blank"},
		"an assistant who begins":      {messages(`{"role":"assistant","content":[{"text":"a"}]}`), "roles must alternate"},
		"one role twice":               {messages(user + "," + user), "roles must alternate"},
		"a system role":                {messages(`{"role":"system","content":[{"text":"a"}]}`), "'messages.1.member.role'"},
		"tools that are not declared":  {messages(calls + `,{"role":"user","content":[{"toolResult":{"toolUseId":"a","content":[{"text":"x"}]}}]}`), "toolConfig field must be defined"},
		"a call without its result":    {messages(calls+","+user, tools), "`tool_use` ids were found without"},
		"an empty result":              {messages(calls+`,{"role":"user","content":[{"toolResult":{"toolUseId":"a","content":[]}}]}`, tools), "length greater than or equal to 1"},
		"a result without a call":      {messages(`{"role":"user","content":[{"toolResult":{"toolUseId":"a","content":[{"text":"x"}]}}]}`, tools), "unexpected `tool_use_id`"},
		"a long id":                    {messages(user+`,{"role":"assistant","content":[{"toolUse":{"toolUseId":"`+strings.Repeat("a", 65)+`","name":"f","input":{}}}]}`, tools), "toolUseId"},
		"a document without text":      {messages(`{"role":"user","content":[` + pdf + `]}`), "and no text"},
		"two documents of one name":    {messages(`{"role":"user","content":[{"text":"a"},` + pdf + `,` + pdf + `]}`), "duplicate document names"},
		"a document's name":            {messages(`{"role":"user","content":[{"text":"a"},` + strings.Replace(pdf, `"a"`, `"a.pdf"`, 1) + `]}`), "document.name"},
		"an image that is not base64":  {messages(`{"role":"user","content":[{"image":{"format":"png","source":{"bytes":"https://a"}}}]}`), "base64"},
		"five cache points":            {messages(`{"role":"user","content":[{"text":"a"}` + strings.Repeat(`,{"cachePoint":{"type":"default"}}`, 5) + `]}`), "at most 4 cache points"},
		"an open schema of a tool":     {messages(user, strings.Replace(tools, `"name":"f"`, `"name":"f","strict":true`, 1)), "tools.0.custom"},
		"an open schema":               {messages(user, `"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":"{\"type\":\"object\"}"}}}}`), "additionalProperties"},
		"too little room for thoughts": {messages(user, `"inferenceConfig":{"maxTokens":2000},"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":2000}}`), "max_tokens"},
		"thoughts and a forced tool":   {messages(user, tools[:len(tools)-1]+`,"toolChoice":{"any":{}}},"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":2000}}`), "Thinking may not be enabled"},
		"a forged thought":             {messages(user + `,{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"a","signature":"b"}}}]},` + user), "Invalid `signature`"},
	} {
		t.Run(name, func(t *testing.T) {
			response, body, err := f.post(t, test.body)
			if err != nil || response.StatusCode != http.StatusBadRequest || !strings.Contains(body, `{"message":"`) || !strings.Contains(body, test.says) {
				t.Errorf("error %v: %s", err, body)
			}
		})
	}
	if response, body, err := f.post(t, messages(user)); err != nil || response.StatusCode != 200 {
		t.Errorf("error %v: %s", err, body)
	}
	hour := messages(`{"role":"user","content":[{"text":"a"},{"cachePoint":{"type":"default","ttl":"1h"}}]}`)
	if response, body, err := f.post(t, hour); err != nil || response.StatusCode != 200 {
		t.Errorf("a cache for an hour: error %v: %s", err, body)
	}
	for _, model := range []string{"anthropic.claude-3-7-sonnet-20250219-v1:0", "us.anthropic.claude-sonnet-4-20250514-v1:0", "us.anthropic.claude-opus-4-1-20250805-v1:0"} {
		f.url = f.server.URL + "/model/" + strings.ReplaceAll(model, ":", "%3A") + "/converse"
		if _, body, err := f.post(t, hour); err != nil || !strings.Contains(body, "Extra inputs are not permitted") {
			t.Errorf("a cache for an hour, %s: error %v: %s", model, err, body)
		}
	}
	for _, target := range []string{"/model/" + testClaude + "/converse", "/model/m/invoke", "/v1/model/m/converse"} {
		f.url = f.server.URL + target
		if response, _, err := f.post(t, messages(user)); err != nil || response.StatusCode != http.StatusNotFound {
			t.Errorf("%s: status %d, error %v", target, response.StatusCode, err)
		}
	}
}

func TestBedrockClaudeRefuses(t *testing.T) {
	f := start(t, BedrockClaude(Config{Key: testKey}), Network{})
	f.url = f.server.URL + "/model/" + strings.ReplaceAll(testClaude, ":", "%3A") + "/invoke"
	const hi = `"max_tokens":9,"messages":[{"role":"user","content":"hi"}]`
	for name, test := range map[string]struct{ body, says string }{
		"no version":     {`{` + hi + `}`, "required key [anthropic_version] not found"},
		"a model":        {`{"anthropic_version":"bedrock-2023-05-31","model":"m",` + hi + `}`, "extraneous key [model]"},
		"a stream":       {`{"anthropic_version":"bedrock-2023-05-31","stream":true,` + hi + `}`, "extraneous key [stream]"},
		"no bound":       {`{"anthropic_version":"bedrock-2023-05-31","messages":[{"role":"user","content":"hi"}]}`, "max_tokens: Field required"},
		"no betas":       {`{"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["a",""],` + hi + `}`, "invalid beta flag"},
		"a remote image": {`{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"https://a"}}]}]}`, "URL sources are not supported"},
	} {
		response, body, err := f.post(t, test.body)
		if err != nil || response.StatusCode != http.StatusBadRequest || !strings.Contains(body, test.says) {
			t.Errorf("%s: error %v: %s", name, err, body)
		}
	}
	if response, body, err := f.post(t, `{"anthropic_version":"bedrock-2023-05-31",`+hi+`}`); err != nil || response.StatusCode != 200 {
		t.Errorf("error %v: %s", err, body)
	}
	f.header = http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer wrong"}}
	if response, body, err := f.post(t, "{}"); err != nil || response.StatusCode != http.StatusForbidden || !strings.Contains(body, `{"Message":"`) {
		t.Errorf("error %v: %s", err, body)
	}
}

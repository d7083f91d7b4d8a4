package provider

import (
	"net/http"
	"strings"
	"testing"
)

// startTask starts a fake of an API that has no conversations.
func startTask(t *testing.T, vendor func(Config) *Provider) *fixture {
	t.Helper()
	return start(t, vendor(Config{Key: testKey, Secrets: []string{"sk-gateway"}}), Network{})
}

func TestEmbeddings(t *testing.T) {
	f := startTask(t, Embeddings)
	for name, test := range map[string]struct {
		body   string
		status int
		says   string
	}{
		"one text":         {`{"model":"m","input":"a"}`, 200, `"embedding":[0.5,-0.25,0.001]`},
		"texts as base64":  {`{"model":"m","input":["a","b"],"encoding_format":"base64","dimensions":3}`, 200, `"embedding":"AADAPwAAgL5vEoM6","index":1`},
		"one list of ids":  {`{"model":"m","input":[1,2]}`, 200, `"data":[{"embedding":[0.5,-0.25,0.001],"index":0,"object":"embedding"}]`},
		"lists of ids":     {`{"model":"m","input":[[1],[2,3]]}`, 200, `"index":1`},
		"no input":         {`{"model":"m"}`, 400, "Missing required parameter: 'input'"},
		"an empty text":    {`{"model":"m","input":""}`, 400, "'input'"},
		"an empty list":    {`{"model":"m","input":[]}`, 400, "empty array"},
		"a mixture":        {`{"model":"m","input":["a",1]}`, 400, "'input[0]'"},
		"another's field":  {`{"model":"m","input":"a","input_type":"query"}`, 400, "Unknown parameter: 'input_type'"},
		"a router's field": {`{"model":"m","input":"a","provider":{}}`, 400, "Unknown parameter: 'provider'"},
		"a wrong form":     {`{"model":"m","input":"a","encoding_format":"int8"}`, 400, "'encoding_format'"},
		"an old model":     {`{"model":"text-embedding-ada-002","input":"a","dimensions":3}`, 400, "does not support specifying dimensions"},
	} {
		t.Run(name, func(t *testing.T) { f.task(t, test.body, test.status, test.says) })
	}
}

func TestRerank(t *testing.T) {
	f := startTask(t, Rerank)
	for name, test := range map[string]struct {
		body   string
		status int
		says   string
	}{
		"all":                  {`{"model":"m","query":"q","documents":["a","b"]}`, 200, `"results":[{"index":1,"relevance_score":0.9},{"index":0,"relevance_score":0.45}]`},
		"the best":             {`{"model":"m","query":"q","documents":["a","b"],"top_n":1}`, 200, `"results":[{"index":1,"relevance_score":0.9}]`},
		"what is billed":       {`{"model":"m","query":"q","documents":["a"` + strings.Repeat(`,"b"`, 100) + `]}`, 200, `"search_units":2`},
		"no query":             {`{"model":"m","documents":["a"]}`, 400, "'query'"},
		"no documents":         {`{"model":"m","query":"q","documents":[]}`, 400, "empty array"},
		"an object":            {`{"model":"m","query":"q","documents":[{"text":"a"}]}`, 400, "'documents[0]'"},
		"of the first version": {`{"model":"m","query":"q","documents":["a"],"return_documents":true}`, 400, "'return_documents'"},
	} {
		t.Run(name, func(t *testing.T) { f.task(t, test.body, test.status, test.says) })
	}
}

// task posts a request and checks its answer.
func (f *fixture) task(t *testing.T, body string, status int, says string) {
	t.Helper()
	response, answer, err := f.post(t, body)
	if err != nil || response.StatusCode != status || !strings.Contains(answer, says) {
		t.Errorf("%v, status %d, want %d and %q: %s", err, response.StatusCode, status, says, answer)
	}
	if response.StatusCode == http.StatusOK && response.Header.Get("Set-Cookie") == "" {
		t.Error("the vendor's own headers are missing")
	}
}

package toolschema

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
)

// TestSection24Offered holds that tools are the same whether they are read of Chat
// Completions or told by a dialect.
func TestSection24Offered(t *testing.T) {
	request, err := openai.Client{}.Parse([]byte(`{"model":"m/x","messages":[{"role":"user","content":"hi"}],"tools":[
		{"type":"function","function":{"name":"é\u00e9","parameters":{"type":"object"}}},
		{"type":"function","function":{"name":"now"}},
		{"type":"web_search","name":"now"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []dialect.Tool{
		{Name: "éé", Parameters: []byte(`{"type":"object"}`)}, {Name: "now"}, {Other: []byte(`{"type":"web_search","name":"now"}`)},
	}
	for _, name := range []string{openai.Name, "another"} {
		request.Dialect = name
		got, err := Offered(request)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("tools of a dialect named %s (-want +got):\n%s", name, diff)
		}
	}
}

func TestSection24NoTools(t *testing.T) {
	if tools, err := Offered(&dialect.Request{Dialect: openai.Name, Raw: []byte(`{"tools":null}`)}); len(tools) != 0 || err != nil {
		t.Errorf("tools are %v, error %v", tools, err)
	}
}

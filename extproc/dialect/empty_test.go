package dialect_test

import (
	"strings"
	"testing"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/openai"
	"github.com/switchyard/switchyard/extproc/dialect/responses"
)

// A file of nothing is the client's mistake, whether or not the model reads files.
func TestFilesOfNothingAreRefused(t *testing.T) {
	for _, test := range []struct {
		client     dialect.Client
		body, want string
	}{
		{openai.Client{}, `{"messages":[{"role":"user","content":[{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,"}}]}]}`, "'messages.0.content.0.file.file_data'"},
		{responses.Client{}, `{"input":[{"role":"user","content":[{"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,"}]}]}`, "neither a URL nor data"},
		{clientAt(t, ""), `{"messages":[{"role":"user","content":[{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":""}}]}]}`, "'messages.0.content.0.source.data'"},
		{clientAt(t, `"contents"`), `{"contents":[{"parts":[{"inlineData":{"mimeType":"application/pdf","data":""}}]}]}`, "'contents.0.parts.0.inlineData.data'"},
	} {
		if _, err := test.client.Parse([]byte(test.body)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", test.client.Name(), err, test.want)
		}
	}
}

// What is missing altogether is told in no other API's words.
func TestEmptyBodiesNameNoMembers(t *testing.T) {
	for _, client := range []dialect.Client{openai.Client{}, responses.Client{}, clientAt(t, ""), clientAt(t, `"contents"`)} {
		if _, err := client.Parse(nil); err == nil || !strings.Contains(err.Error(), "empty") || strings.Contains(err.Error(), "messages") {
			t.Errorf("%s: %v", client.Name(), err)
		}
	}
}

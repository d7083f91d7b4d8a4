package anthropic

import "github.com/switchyard/switchyard/extproc/dialect"

// Client is the dialect as clients of the gateway speak it (spec section 9): the
// Anthropic SDKs and the programs built on them.
type Client struct{ head head }

var (
	_ dialect.Client     = Client{}
	_ dialect.HeadReader = Client{}
	_ dialect.Presetter  = Client{}
	_ dialect.Replayer   = Client{}
)

// Name returns "anthropic".
func (Client) Name() string { return Name }

// Marks are those of a message. The first event of a stream holds one.
func (Client) Marks() dialect.Marks {
	return dialect.Marks{ID: "id", Usage: "usage", Holders: []string{"message"}}
}

// CountTokens estimates the tokens of a request's prompt by the tokenizer of the model that
// it names. It reads no images. The error is a *dialect.Error.
func CountTokens(body []byte, tokenizerOf func(model string) dialect.Tokenizer) (int64, error) {
	request, err := Client{}.Parse(body)
	if err != nil {
		return 0, err
	}
	return request.WithTokenizer(tokenizerOf(request.Model)).PromptTokens(), nil
}

package main

import (
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/anthropic"
	"github.com/switchyard/switchyard/extproc/tokenizer"
)

// countTokens counts for clients of the Messages API.
func countTokens(body []byte) (int64, error) {
	return anthropic.CountTokens(body, func(model string) dialect.Tokenizer { return tokenizer.For(model) })
}

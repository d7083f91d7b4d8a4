package openai

import (
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// Echo appends a chunk without choices, as OpenRouter does.
func (Client) Echo(dst []byte, meta dialect.Meta, body []byte) []byte {
	start := len(dst)
	dst = append(dst, newEnvelope(meta).chunk...)
	dst = append(dst, `,"choices":[],"debug":{"echo_upstream_body":`...)
	dst = append(append(dst, body...), '}', '}')
	rawjson.OneLine(dst[start:])
	return append(dst, "\n\n"...)
}

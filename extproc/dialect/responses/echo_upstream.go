package responses

import (
	"strconv"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// Echo appends an event of the type response.debug, which OpenRouter's SDKs have.
func (Client) Echo(dst []byte, meta dialect.Meta, body []byte) []byte {
	dst = append(dst, `data: {"type":"response.debug","sequence_number":`...)
	start := len(dst)
	dst = strconv.AppendInt(dst, meta.Preceding, 10)
	dst = append(append(append(dst, `,"debug":{"echo_upstream_body":`...), body...), '}', '}')
	rawjson.OneLine(dst[start:])
	return append(dst, "\n\n"...)
}

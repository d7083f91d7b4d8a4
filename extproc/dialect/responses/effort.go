package responses

import (
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

var _ dialect.Efforter = Client{}

// WithEffort is the body with another effort where it asks for one.
func (Client) WithEffort(body []byte, effort string) []byte {
	dst := append(make([]byte, 0, len(body)+16), '{')
	for c := rawjson.Walk(body); c.Next(); {
		if string(c.Name) == "reasoning" && rawjson.Present(c.Value) {
			dst = dialect.AppendEffort(rawjson.AppendName(dst, "reasoning"), c.Value, effort)
		} else {
			dst = rawjson.AppendRaw(dst, c.Member)
		}
	}
	return append(dst, '}')
}

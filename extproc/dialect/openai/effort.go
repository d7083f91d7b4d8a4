package openai

import (
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

var _ dialect.Efforter = Client{}

// WithEffort is the body with another effort where it asks for one.
func (Client) WithEffort(body []byte, effort string) []byte {
	members := readMembers(body)
	dst := append(make([]byte, 0, len(body)+16), '{')
	for _, m := range members {
		switch {
		case m.name == "reasoning" && rawjson.Present(m.value):
			dst = rawjson.AppendName(dst, m.name)
			dst = dialect.AppendEffort(dst, m.value, effort)
		case m.name != "reasoning_effort":
			dst = rawjson.AppendRaw(dst, m.raw)
		case find(members, "reasoning") == nil:
			dst = rawjson.AppendText(dst, m.name, effort)
		}
	}
	return append(dst, '}')
}

package anthropic

import (
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

var _ dialect.Efforter = Client{}

// WithEffort is the body with another effort: thinking that has one is adaptive.
func (Client) WithEffort(body []byte, effort string) []byte {
	dst, said := append(make([]byte, 0, len(body)+64), '{'), false
	for c := rawjson.Walk(body); c.Next(); {
		switch string(c.Name) {
		case "thinking":
		case "output_config":
			dst = append(rawjson.AppendName(dst, "output_config"), '{')
			for m := rawjson.Walk(c.Value); m.Next(); {
				if string(m.Name) != "effort" {
					dst = rawjson.AppendRaw(dst, m.Member)
				}
			}
			dst, said = append(rawjson.AppendText(dst, "effort", AdaptiveEffort(effort)), '}'), true
		default:
			dst = rawjson.AppendRaw(dst, c.Member)
		}
	}
	if !said {
		dst = rawjson.AppendText(append(rawjson.AppendName(dst, "output_config"), '{'), "effort", AdaptiveEffort(effort))
		dst = append(dst, '}')
	}
	return append(rawjson.AppendMember(dst, "thinking", []byte(`{"type":"adaptive"}`)), '}')
}

// effortOf is how much thinking is asked for, as the hub has it.
func effortOf(thinking, outputConfig []byte) string {
	switch rawjson.Text(rawjson.Get(thinking, "type")) {
	case "disabled":
		return "none"
	case "adaptive":
		return rawjson.Text(rawjson.Get(outputConfig, "effort"))
	}
	return ""
}

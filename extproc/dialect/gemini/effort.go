package gemini

import (
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

var _ dialect.Efforter = Client{}

// WithEffort is the body with another effort: as a level where the client gave one, and
// else as a budget, which is all that models before the third generation take.
func (Client) WithEffort(body []byte, effort string) []byte {
	return edit(body, "generationConfig", func(dst, config []byte) []byte {
		return append(dst, edit(config, "thinkingConfig", func(dst, thinking []byte) []byte {
			return appendThinking(dst, thinking, effort)
		})...)
	})
}

func appendThinking(dst, thinking []byte, effort string) []byte {
	dst = append(dst, '{')
	for c := rawjson.Walk(thinking); c.Next(); {
		if name := camel(c.Name); name != "thinkingLevel" && name != "thinkingBudget" {
			dst = rawjson.AppendRaw(dst, c.Member)
		}
	}
	if get(thinking, "thinkingLevel") == nil {
		return append(rawjson.AppendInt(dst, "thinkingBudget", budgetOf(effort)), '}')
	}
	if effort == "max" {
		effort = "xhigh"
	}
	return append(rawjson.AppendText(dst, "thinkingLevel", strings.ToUpper(effort)), '}')
}

// budgetOf is what a model of any size may think for an effort, in tokens; of budgets
// [dialect.Reasoning.NearestEffort] is the other way.
func budgetOf(effort string) int64 {
	switch effort {
	case "minimal":
		return 512
	case "low":
		return 2048
	case "medium":
		return 8192
	}
	return 24576
}

// edit copies an object of which a member is written anew.
func edit(object []byte, name string, write func(dst, value []byte) []byte) []byte {
	dst := append(make([]byte, 0, len(object)+32), '{')
	for c := rawjson.Walk(object); c.Next(); {
		if camel(c.Name) == name && rawjson.Present(c.Value) {
			dst = write(rawjson.AppendName(dst, name), c.Value)
		} else {
			dst = rawjson.AppendRaw(dst, c.Member)
		}
	}
	return append(dst, '}')
}

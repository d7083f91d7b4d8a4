package bedrock

import "strings"

// family is a maker's line of models. What Converse has no word for is said in the
// words of the model, and each line has its own.
type family uint8

// The families with words that the gateway knows. A model that is named by the ARN of
// an application's own profile tells nothing of its family.
const (
	other family = iota
	claude
	nova
	nova2
	gptOSS
)

func familyOf(model string) family {
	switch {
	case strings.Contains(model, "anthropic."):
		return claude
	case strings.Contains(model, "amazon.nova-2"):
		return nova2
	case strings.Contains(model, "amazon.nova"):
		return nova
	case strings.Contains(model, "openai.gpt-oss"):
		return gptOSS
	}
	return other
}

// caches reports whether the family takes cache points; others refuse them.
func (f family) caches() bool { return f == claude || f == nova || f == nova2 }

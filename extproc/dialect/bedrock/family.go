package bedrock

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect"
)

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

// refuses is what the family's models cannot read of a kind of part, "" for those that
// some can: Claude neither hears nor sees films, and Nova hears since its second
// generation. Source: "Supported foundation models in Amazon Bedrock".
func (f family) refuses(kind dialect.PartKind) string {
	switch {
	case kind == dialect.PartAudio && (f == claude || f == nova):
		return "audio"
	case kind == dialect.PartVideo && f == claude:
		return "video"
	}
	return ""
}

// claudeVersion finds the generation in the name of one of Claude's models, where it
// stands before the date: "claude-opus-4-1-20250805", "claude-3-7-sonnet-20250219".
var claudeVersion = regexp.MustCompile(`anthropic\.claude-(?:[a-z]+-)?([0-9]{1,2})(?:-([0-9]{1,2}))?(?:[^0-9]|$)`)

// cachesForAnHour reports whether a model takes cache markers of an hour, as Claude does
// since 4.5. Others refuse the request: "Extra inputs are not permitted"
// (https://github.com/earendil-works/pi/pull/1570).
func cachesForAnHour(model string) bool {
	found := claudeVersion.FindStringSubmatch(model)
	if found == nil {
		return false
	}
	major, _ := strconv.Atoi(found[1])
	minor, _ := strconv.Atoi(found[2]) // none is 0
	return major > 4 || major == 4 && minor >= 5
}

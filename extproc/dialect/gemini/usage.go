package gemini

import (
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// usage is the API's count, in which the prompt includes what was cached and the
// candidates exclude thoughts. It is cumulative: what a later chunk gives replaces
// what an earlier gave, and what it does not give stays.
type usage struct {
	prompt, toolPrompt, cached, candidates, thoughts int64
	audioPrompt, audio, image                        int64
	tier                                             string
}

func (u *usage) read(object []byte) {
	for c := rawjson.Walk(object); c.Next(); {
		switch string(c.Name) {
		case "promptTokenCount":
			dialect.ReadCount(&u.prompt, c.Value)
		case "toolUsePromptTokenCount":
			dialect.ReadCount(&u.toolPrompt, c.Value)
		case "cachedContentTokenCount":
			dialect.ReadCount(&u.cached, c.Value)
		case "candidatesTokenCount":
			dialect.ReadCount(&u.candidates, c.Value)
		case "thoughtsTokenCount":
			dialect.ReadCount(&u.thoughts, c.Value)
		case "promptTokensDetails":
			dialect.ReadCount(&u.audioPrompt, ofModality(c.Value, "AUDIO"))
		case "candidatesTokensDetails":
			dialect.ReadCount(&u.audio, ofModality(c.Value, "AUDIO"))
			dialect.ReadCount(&u.image, ofModality(c.Value, "IMAGE"))
		case "trafficType":
			u.tier = servedTier(rawjson.Text(c.Value))
		case "serviceTier":
			u.tier = strings.ToLower(rawjson.Text(c.Value))
		}
	}
}

// ofModality is the count of one modality in a list of them.
func ofModality(list []byte, name string) []byte {
	for c := rawjson.Walk(list); c.Next(); {
		if rawjson.Text(rawjson.Get(c.Value, "modality")) == name {
			return rawjson.Get(c.Value, "tokenCount")
		}
	}
	return nil
}

// total adds up what the hub counts as one.
func (u *usage) total() dialect.Usage {
	prompt := u.prompt + u.toolPrompt
	return dialect.Usage{
		Prompt:          prompt,
		Completion:      u.candidates + u.thoughts,
		CacheRead:       min(u.cached, prompt),
		Reasoning:       u.thoughts,
		AudioPrompt:     min(u.audioPrompt, prompt),
		AudioCompletion: min(u.audio, u.candidates),
		Images:          min(u.image, u.candidates),
	}
}

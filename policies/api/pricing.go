package api

import (
	"cmp"

	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/money"
)

// pricing is in US dollars per token or unit, as decimal text.
type pricing struct {
	Prompt            string `json:"prompt"`
	Completion        string `json:"completion"`
	Request           string `json:"request,omitempty"`
	Image             string `json:"image,omitempty"`
	ImageToken        string `json:"image_token,omitempty"`
	ImageOutput       string `json:"image_output,omitempty"`
	GeneratedImage    string `json:"generated_image,omitempty"`
	Character         string `json:"character,omitempty"`
	Second            string `json:"second,omitempty"`
	Audio             string `json:"audio,omitempty"`
	AudioOutput       string `json:"audio_output,omitempty"`
	WebSearch         string `json:"web_search,omitempty"`
	InternalReasoning string `json:"internal_reasoning,omitempty"`
	InputCacheRead    string `json:"input_cache_read,omitempty"`
	InputCacheWrite   string `json:"input_cache_write,omitempty"`
	InputCacheWrite1h string `json:"input_cache_write_1h,omitempty"`
	// Overrides are the prices under conditions (rows 198 and 199).
	Overrides []map[string]any `json:"overrides,omitempty"`
}

// priceNames are the API's names of the classes that the schema calls otherwise.
var priceNames = map[string]string{
	"reasoning": "internal_reasoning", "cache_read": "input_cache_read",
	"cache_write": "input_cache_write", "cache_write_1h": "input_cache_write_1h",
}

func newOverrides(from []catalog.Override) []map[string]any {
	var overrides []map[string]any
	for i := range from {
		entry := map[string]any{}
		if least := from[i].MinPromptTokens; least > 0 {
			entry["min_prompt_tokens"] = least
		}
		if start, end, limited := from[i].Window(); limited {
			entry["utc_start"], entry["utc_end"] = start, end
		}
		for class, amount := range from[i].Stated() {
			entry[cmp.Or(priceNames[class], class)] = amount.String()
		}
		overrides = append(overrides, entry)
	}
	return overrides
}

// routerPricing says that the price is that of the model chosen (row 149).
var routerPricing = pricing{Prompt: "-1", Completion: "-1"}

// newPricing leaves out the classes that cost what the class around them costs.
func newPricing(p *catalog.Prices) pricing {
	unlike := func(price, around money.USD) string {
		if price == around {
			return ""
		}
		return price.String()
	}
	return pricing{
		Prompt:            p.Prompt.String(),
		Completion:        p.Completion.String(),
		Request:           p.Request.String(),
		Image:             p.Image.String(),
		ImageToken:        unlike(p.ImageToken, p.Prompt),
		ImageOutput:       unlike(p.ImageOutput, p.Completion),
		GeneratedImage:    unlike(p.GeneratedImage, 0),
		Character:         unlike(p.Character, 0),
		Second:            unlike(p.Second, 0),
		Audio:             unlike(p.Audio, p.Prompt),
		AudioOutput:       unlike(p.AudioOutput, p.Completion),
		WebSearch:         unlike(p.WebSearch, 0),
		InternalReasoning: unlike(p.Reasoning, p.Completion),
		InputCacheRead:    unlike(p.CacheRead, p.Prompt),
		InputCacheWrite:   unlike(p.CacheWrite, p.Prompt),
		InputCacheWrite1h: unlike(p.CacheWrite1h, p.CacheWrite),
		Overrides:         newOverrides(p.Overrides),
	}
}

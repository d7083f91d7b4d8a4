package api

import (
	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/money"
)

// pricing is in US dollars per token or unit, as decimal text. The prices under
// conditions are not shown.
type pricing struct {
	Prompt            string `json:"prompt"`
	Completion        string `json:"completion"`
	Request           string `json:"request,omitempty"`
	Image             string `json:"image,omitempty"`
	ImageOutput       string `json:"image_output,omitempty"`
	Audio             string `json:"audio,omitempty"`
	AudioOutput       string `json:"audio_output,omitempty"`
	WebSearch         string `json:"web_search,omitempty"`
	InternalReasoning string `json:"internal_reasoning,omitempty"`
	InputCacheRead    string `json:"input_cache_read,omitempty"`
	InputCacheWrite   string `json:"input_cache_write,omitempty"`
	InputCacheWrite1h string `json:"input_cache_write_1h,omitempty"`
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
		ImageOutput:       unlike(p.ImageOutput, p.Completion),
		Audio:             unlike(p.Audio, p.Prompt),
		AudioOutput:       unlike(p.AudioOutput, p.Completion),
		WebSearch:         unlike(p.WebSearch, 0),
		InternalReasoning: unlike(p.Reasoning, p.Completion),
		InputCacheRead:    unlike(p.CacheRead, p.Prompt),
		InputCacheWrite:   unlike(p.CacheWrite, p.Prompt),
		InputCacheWrite1h: unlike(p.CacheWrite1h, p.CacheWrite),
	}
}

package gemini

import (
	"math"
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// mostStops is how many stop sequences the API takes.
const mostStops = 5

func (b *builder) sampling() {
	c := b.chat
	// keep reports whether a parameter is to be written; one that was given and is
	// not is named as dropped.
	keep := func(given, fits bool, name string) bool {
		if given && !(fits && b.target.Takes(name)) {
			b.drop(name)
			return false
		}
		return given
	}
	if c.MaxTokens > 0 {
		b.config.MaxOutputTokens = min(c.MaxTokens, math.MaxInt32)
	}
	if keep(c.Temperature != nil, true, "temperature") {
		b.config.Temperature = c.Temperature
	}
	if keep(c.TopP != nil, true, "top_p") {
		b.config.TopP = c.TopP
	}
	// Zero is "all" elsewhere, which is the API's default.
	if c.TopK != nil && *c.TopK > 0 && keep(true, *c.TopK <= math.MaxInt32, "top_k") {
		b.config.TopK = c.TopK
	}
	if keep(c.Seed != nil, c.Seed != nil && *c.Seed >= math.MinInt32 && *c.Seed <= math.MaxInt32, "seed") {
		b.config.Seed = c.Seed
	}
	// Few models take these, and the rest refuse them.
	listed := b.target.Supported != nil
	if keep(c.FrequencyPenalty != nil, listed, "frequency_penalty") {
		b.config.FrequencyPenalty = c.FrequencyPenalty
	}
	if keep(c.PresencePenalty != nil, listed, "presence_penalty") {
		b.config.PresencePenalty = c.PresencePenalty
	}
	if c.Choices > 1 {
		b.config.CandidateCount = c.Choices
	}
	for _, stop := range c.Stop {
		if keep(true, stop != "" && len(b.config.StopSequences) < mostStops, "stop") {
			b.config.StopSequences = append(b.config.StopSequences, stop)
		}
	}
}

// format asks for an answer in JSON. Models before the third generation refuse that
// together with tools; tools change what the answer is, and not only its form.
func (b *builder) format() {
	wanted := b.chat.Format
	if wanted == nil || wanted.Type == "text" {
		return
	}
	if !b.target.Takes("response_format", "structured_outputs") || b.generation < 3 && len(b.request.Tools) > 0 {
		b.drop("response_format")
		return
	}
	b.config.ResponseMIMEType = "application/json"
	if wanted.Type == "json_schema" && rawjson.Kind(wanted.Schema) == '{' {
		b.config.ResponseJSONSchema = schema(nil, wanted.Schema)
	}
}

// extra takes the fields of clients that know what they speak to. All others are
// dropped: the API refuses a field that it does not know.
func (b *builder) extra() {
	for _, field := range b.chat.Extra {
		switch {
		case field.Name == "modalities" && rawjson.Kind(field.Value) == '[':
			for c := rawjson.Walk(field.Value); c.Next(); {
				b.config.ResponseModalities = append(b.config.ResponseModalities, strings.ToUpper(rawjson.Text(c.Value)))
			}
		case field.Name == "safety_settings" && rawjson.Kind(field.Value) == '[':
			b.request.SafetySettings = field.Value
		default:
			b.drop(field.Name)
		}
	}
}

func (b *builder) others() {
	c := b.chat
	for name, given := range map[string]bool{
		"logprobs":      c.Logprobs,
		"top_logprobs":  c.TopLogprobs != nil,
		"verbosity":     c.Verbosity != "",
		"user":          c.User != "",
		"cache_control": c.CacheControl != nil, // the API caches on its own
	} {
		if given {
			b.drop(name)
		}
	}
	b.request.ServiceTier = b.target.ServiceTier
	if c.ServiceTier != "" && c.ServiceTier != "auto" && b.target.ServiceTier == "" {
		b.drop("service_tier")
	}
}

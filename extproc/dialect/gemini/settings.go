package gemini

import (
	"math"
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// mostStops is how many stop sequences the API takes.
const mostStops = 5

func (b *builder) sampling() {
	c, config := b.chat, &b.request.GenerationConfig
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
		config.MaxOutputTokens = min(c.MaxTokens, math.MaxInt32)
	}
	if keep(c.Temperature != nil, true, "temperature") {
		config.Temperature = c.Temperature
	}
	if keep(c.TopP != nil, true, "top_p") {
		config.TopP = c.TopP
	}
	// Zero is "all" elsewhere, which is the API's default.
	if c.TopK != nil && *c.TopK > 0 && keep(true, *c.TopK <= math.MaxInt32, "top_k") {
		config.TopK = c.TopK
	}
	if keep(c.Seed != nil, c.Seed != nil && *c.Seed >= math.MinInt32 && *c.Seed <= math.MaxInt32, "seed") {
		config.Seed = c.Seed
	}
	// Few models take these, and the rest refuse them.
	listed := b.target.Supported != nil
	if keep(c.FrequencyPenalty != nil, listed, "frequency_penalty") {
		config.FrequencyPenalty = c.FrequencyPenalty
	}
	if keep(c.PresencePenalty != nil, listed, "presence_penalty") {
		config.PresencePenalty = c.PresencePenalty
	}
	if c.Choices > 1 {
		config.CandidateCount = c.Choices
	}
	for _, stop := range c.Stop {
		if keep(true, stop != "" && len(config.StopSequences) < mostStops, "stop") {
			config.StopSequences = append(config.StopSequences, stop)
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
	b.request.GenerationConfig.ResponseMIMEType = "application/json"
	if wanted.Type == "json_schema" && rawjson.Kind(wanted.Schema) == '{' {
		b.request.GenerationConfig.ResponseJSONSchema = schema(nil, wanted.Schema, 0)
	}
}

// extra takes the fields of clients that know what they speak to. All others are
// dropped: the API refuses a field that it does not know.
func (b *builder) extra() {
	for _, field := range b.chat.Extra {
		switch {
		case field.Name == "modalities" && rawjson.Kind(field.Value) == '[':
			b.request.GenerationConfig.ResponseModalities = modalities(field.Value)
		case field.Name == "safety_settings" && rawjson.Kind(field.Value) == '[':
			b.request.SafetySettings = field.Value
		case field.Name == "labels" && b.vertex && isLabels(field.Value):
			b.request.Labels = field.Value
		case field.Name == "web_search_options":
			b.search()
		default:
			b.drop(field.Name)
		}
	}
}

func modalities(list []byte) []string {
	var names []string
	for c := rawjson.Walk(list); c.Next(); {
		names = append(names, strings.ToUpper(rawjson.Text(c.Value)))
	}
	return names
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
	if !b.vertex { // else a header says it
		b.request.ServiceTier = b.target.ServiceTier
	}
	if c.ServiceTier != "" && c.ServiceTier != "auto" && b.target.ServiceTier == "" {
		b.drop("service_tier")
	}
}

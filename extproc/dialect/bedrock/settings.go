package bedrock

import (
	"math"
	"slices"
	"strconv"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// sampling comes after reasoning, which forbids most of it.
func (b *builder) sampling() {
	c, config := b.chat, &b.request.InferenceConfig
	if c.MaxTokens > 0 {
		config.MaxTokens = min(c.MaxTokens, math.MaxInt32)
	}
	// keep reports whether a parameter is to be written; one that was given and is not
	// is named as dropped.
	keep := func(fits bool, name string) bool {
		if !fits || !b.target.Takes(name) {
			b.drop(name)
			return false
		}
		return true
	}
	if t := c.Temperature; t != nil && keep(!b.thinks || *t == 1, "temperature") {
		clamped := min(*t, 1) // others' range is 0 to 2
		config.Temperature = &clamped
		if clamped != *t {
			b.drop("temperature")
		}
	}
	if p := c.TopP; p != nil {
		// Newer models of Claude's refuse it beside a temperature.
		beside := b.family == claude && config.Temperature != nil
		if keep((!b.thinks || *p >= 0.95) && !beside, "top_p") {
			config.TopP = p
		}
	}
	if k := c.TopK; k != nil && *k > 0 && keep(!b.thinks && b.topK(*k), "top_k") {
		b.sayTopK(*k)
	}
	for _, stop := range c.Stop {
		if keep(stop != "", "stop") {
			config.StopSequences = append(config.StopSequences, stop)
		}
	}
}

// topK reports whether the model has a word for it.
func (b *builder) topK(k int64) bool {
	return b.family == claude || (b.family == nova || b.family == nova2) && k <= 128
}

func (b *builder) sayTopK(k int64) {
	number := strconv.FormatInt(k, 10)
	if b.family == claude {
		b.modelField("top_k", number)
	} else {
		b.modelField("inferenceConfig", `{"topK":`+number+`}`)
	}
}

// format asks for an answer that keeps to a schema. The API has no mode for JSON
// without one.
func (b *builder) format() {
	if wanted := b.chat.Format; wanted != nil && wanted.Type != "text" {
		if wanted.Type == "json_schema" && len(wanted.Schema) > 0 && b.target.Takes("response_format", "structured_outputs") {
			schema, dropped := dialect.ClosedSchema(wanted.Schema, "response_format.json_schema.schema")
			b.drop(dropped...)
			b.output().TextFormat = &textFormat{Type: "json_schema", Structure: formatStructure{JSONSchema: jsonSchema{
				Schema: string(schema), Name: wanted.Name, Description: wanted.Description,
			}}}
		} else {
			b.drop("response_format")
			// Other families have models that take no system text.
			system := b.family == claude || b.family == nova || b.family == nova2
			if system && wanted.Type == "json_object" && b.target.Takes("response_format") {
				b.request.System = append(b.request.System, block{Text: dialect.JSONInstruction})
			}
		}
	}
	if b.chat.Verbosity == "" {
		return
	}
	// Few models take an effort, and the rest refuse it.
	set := b.request.OutputConfig != nil && b.request.OutputConfig.Effort != ""
	if b.target.Supported == nil || !b.target.Takes("verbosity") || set {
		b.drop("verbosity")
		return
	}
	b.output().Effort = b.chat.Verbosity
}

func (b *builder) output() *outputConfig {
	if b.request.OutputConfig == nil {
		b.request.OutputConfig = &outputConfig{}
	}
	return b.request.OutputConfig
}

func (b *builder) others() {
	c := b.chat
	for name, given := range map[string]bool{
		"frequency_penalty": c.FrequencyPenalty != nil,
		"presence_penalty":  c.PresencePenalty != nil,
		"seed":              c.Seed != nil,
		"logprobs":          c.Logprobs,
		"top_logprobs":      c.TopLogprobs != nil,
		"n":                 c.Choices > 1,
		"user":              c.User != "",
	} {
		if given {
			b.drop(name)
		}
	}
	// What clients say who know what they speak to, in the API's own words.
	for _, field := range c.Extra {
		object := rawjson.Kind(field.Value) == '{' && !slices.Contains(b.target.Refused, field.Name)
		switch {
		case field.Name == "guardrailConfig" && object:
			b.request.Guardrail = field.Value
		case field.Name == "performanceConfig" && object:
			b.request.Performance = field.Value
		default:
			b.drop(field.Name)
		}
	}
	if b.target.ServiceTier != "" {
		b.request.ServiceTier = &serviceTier{Type: b.target.ServiceTier}
	} else if c.ServiceTier != "" && c.ServiceTier != "auto" && c.ServiceTier != "default" {
		b.drop("service_tier")
	}
}

package importer

import (
	"cmp"
	_ "embed"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v3"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

//go:embed litellm.yaml
var liteLLMFile []byte

// liteLLMRules say what LiteLLM's providers are here.
type liteLLMRules struct {
	Parameters []string
	Providers  map[string]vendor
	Skipped    map[string][]string // names by the reason
	Unfit      map[string][]string // expressions by the reason

	unfit map[string]*regexp.Regexp
}

// vendor is how one provider names its models, and what they take.
type vendor struct {
	Slug, Author, Prefix string
	Tags                 []string
	Parameters, Refuses  []string
	ReasoningParameters  []string          `yaml:"reasoning_parameters"`
	Tasks                map[string]string // slugs by what is made instead of text
}

var loadLiteLLM = sync.OnceValue(func() *liteLLMRules {
	rules := &liteLLMRules{}
	if err := yaml.Unmarshal(liteLLMFile, rules); err != nil {
		panic(err) // built into the binary, and tested
	}
	rules.unfit = make(map[string]*regexp.Regexp, len(rules.Unfit))
	for reason, expressions := range rules.Unfit {
		rules.unfit[reason] = regexp.MustCompile(strings.Join(expressions, "|"))
	}
	return rules
})

// entry is one model at one provider in LiteLLM's map. The prices are not in it:
// their keys are too many, see liteLLMPrices.
type entry struct {
	Provider        string   `json:"litellm_provider"`
	Mode            string   `json:"mode"`
	AliasOf         string   `json:"alias_of"`
	MaxInput        int64    `json:"max_input_tokens"`
	MaxOutput       int64    `json:"max_output_tokens"`
	Deprecated      string   `json:"deprecation_date"`
	Endpoints       []string `json:"supported_endpoints"`
	Modalities      []string `json:"supported_modalities"`
	Output          []string `json:"supported_output_modalities"`
	Efforts         []string `json:"reasoning_effort_levels"`
	DefaultEffort   string   `json:"default_reasoning_effort"`
	Tools           bool     `json:"supports_function_calling"`
	ToolChoice      bool     `json:"supports_tool_choice"`
	ParallelTools   bool     `json:"supports_parallel_function_calling"`
	Schema          bool     `json:"supports_response_schema"`
	WebSearch       bool     `json:"supports_web_search"`
	Reasoning       bool     `json:"supports_reasoning"`
	Vision          bool     `json:"supports_vision"`
	PDF             bool     `json:"supports_pdf_input"`
	Audio           bool     `json:"supports_audio_input"`
	Video           bool     `json:"supports_video_input"`
	EmbedsImages    bool     `json:"supports_embedding_image_input"`
	ThinkingAlways  bool     `json:"thinking_always_on"`
	ThinkingDefault bool     `json:"thinking_on_by_default"`
}

// LiteLLM reads LiteLLM's price map (model_prices_and_context_window.json, MIT
// licence). What it says is gone before the day asOf ("2026-01-31") is left out;
// with "" nothing is. The error is of a file that is no such map; what is wrong
// with one entry is in the report.
func LiteLLM(data []byte, asOf string) (*configpb.Config, *Report, error) {
	if len(data) > MaxInput {
		return nil, nil, errTooLarge
	}
	var entries map[string]jsontext.Value
	if err := json.Unmarshal(data, &entries); err != nil {
		return nil, nil, fmt.Errorf("no map of models: %w", err)
	}
	b := newBuilder()
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		b.addLiteLLM(key, entries[key], asOf)
	}
	return b.catalog(), b.report, nil
}

func (b *builder) addLiteLLM(key string, raw jsontext.Value, asOf string) {
	if key == "sample_spec" || key == "fallback_generalizations" {
		return // the map's own documentation and rules
	}
	var e entry
	if err := json.Unmarshal(raw, &e); err != nil {
		b.report.add(key, "cannot be read")
		return
	}
	if e.Provider == "fireworks_ai-embedding-models" {
		e.Provider = "fireworks_ai" // another name of the same
	}
	rules := loadLiteLLM()
	vendor, known := rules.Providers[e.Provider]
	if reason := e.notServed(vendor, known); reason != "" {
		b.report.add(key, "%s", reason)
		return
	}
	switch reason := rules.skipped(e.Provider); {
	case reason != "":
		b.report.add(key, "provider %s skipped: %s", e.Provider, reason)
		return
	case !known:
		b.report.add(key, "provider %q is unknown; name it in litellm.yaml", e.Provider)
		return
	case rules.unfitReason(key, e.output()) != "":
		b.report.add(key, "%s", rules.unfitReason(key, e.output()))
		return
	case strings.HasPrefix(key, "ft:"):
		b.report.add(key, "a model that each customer trains")
		return
	case e.MaxInput <= 0 && mediaPaths[e.output()] == "":
		b.report.add(key, "no context length")
		return
	case e.Deprecated != "" && !day.MatchString(e.Deprecated):
		b.report.add(key, "deprecation_date is no day; left out")
		e.Deprecated = ""
	case e.Deprecated != "" && e.Deprecated < asOf:
		b.report.add(key, "gone before %s", asOf)
		return
	}
	prices, ok := b.liteLLMPrices(key, raw, e.output())
	if !ok {
		return
	}
	name := strings.TrimPrefix(key, e.Provider+"/")
	region, name := splitRegion(name)
	if !strings.Contains(name, "/") {
		name = vendor.Prefix + name
	}
	found, err := loadNames().identify(strings.TrimPrefix(name, vendor.Prefix), vendor.Author, vendor.Tags)
	if err != nil {
		b.report.add(key, "no id: %v", err)
		return
	}
	endpoint := &configpb.Endpoint{
		Provider:      cmp.Or(vendor.Tasks[e.output()], vendor.Slug),
		Model:         name,
		Quantization:  found.Quantization,
		Region:        region,
		ContextLength: e.MaxInput,
	}
	if e.output() == "" {
		endpoint.SupportedParameters = e.parameters(vendor, rules.Parameters)
		if e.MaxOutput > 0 && e.MaxOutput < e.MaxInput {
			endpoint.MaxCompletionTokens = e.MaxOutput
		}
	}
	if refinement := cmp.Or(found.Variant, region); refinement != "" {
		endpoint.Tag = vendor.Slug + "/" + refinement
	}
	facts := e.facts()
	facts.Name, facts.Created = found.Name, found.Created
	b.addTiers(found.ID, facts, endpoint, prices)
}

// skipped is the reason to leave a provider out, or "".
func (r *liteLLMRules) skipped(provider string) string {
	if strings.HasPrefix(provider, "vertex_ai") {
		provider = "vertex_ai" // vertex_ai-language-models, vertex_ai-llama_models, ...
	}
	for reason, names := range r.Skipped {
		if slices.Contains(names, provider) {
			return reason
		}
	}
	return ""
}

// unfitReason is why an entry is left out whoever serves it, or "".
func (r *liteLLMRules) unfitReason(key, output string) string {
	for reason, expression := range r.unfit {
		if expression.MatchString(key) && (output == "" || reason != conversational) {
			return reason
		}
	}
	return ""
}

// day is a date such as 2026-01-31.
var day = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`)

// region is the beginning of a key such as eu/gpt-5 or us-east-1/claude.
var region = regexp.MustCompile(`^(us|eu|ap|apac|au|jp|ca|uk|global)(-[a-z]+-[0-9])?$`)

func splitRegion(name string) (string, string) {
	if first, rest, ok := strings.Cut(name, "/"); ok && region.MatchString(first) {
		return first, rest
	}
	return "", name
}

// facts are what an entry says of its model rather than of its endpoint.
func (e *entry) facts() *configpb.Model {
	facts := &configpb.Model{
		InputModalities:  append([]string{"text"}, e.Modalities...),
		OutputModalities: append([]string{cmp.Or(e.output(), "text")}, e.Output...),
		ExpirationDate:   e.Deprecated,
	}
	if mediaPaths[e.output()] != "" {
		// The map's modalities are those of conversations.
		facts.InputModalities, facts.OutputModalities = []string{"text"}, []string{e.output()}
		switch {
		case e.output() == "transcription":
			facts.InputModalities = append(facts.InputModalities, "audio")
		case slices.Contains(e.Endpoints, "/v1/images/edits"), e.Vision:
			facts.InputModalities = append(facts.InputModalities, "image")
		}
		return facts
	}
	for modality, supported := range map[string]bool{"image": e.Vision || e.EmbedsImages, "file": e.PDF, "audio": e.Audio, "video": e.Video} {
		if supported {
			facts.InputModalities = append(facts.InputModalities, modality)
		}
	}
	if e.Reasoning {
		facts.Reasoning = &configpb.Reasoning{
			DefaultEnabled: e.ThinkingAlways || e.ThinkingDefault,
			Mandatory:      e.ThinkingAlways,
		}
		for _, effort := range efforts {
			if slices.Contains(e.Efforts, effort) {
				facts.Reasoning.SupportedEfforts = append(facts.Reasoning.SupportedEfforts, effort)
			}
		}
		if slices.Contains(efforts, e.DefaultEffort) {
			facts.Reasoning.DefaultEffort = e.DefaultEffort
		}
	}
	return facts
}

// efforts of the schema.
var efforts = []string{"max", "xhigh", "high", "medium", "low", "minimal", "none"}

// parameters are those that the provider's models take, and those that the entry
// says this one takes.
func (e *entry) parameters(vendor vendor, usual []string) []string {
	list := slices.Clone(vendor.Parameters)
	if list == nil {
		list = slices.Clone(usual)
	}
	if e.Reasoning && vendor.ReasoningParameters != nil {
		list = slices.Clone(vendor.ReasoningParameters)
	}
	for _, ability := range []struct {
		supported  bool
		parameters []string
	}{
		{e.Tools, []string{"tools"}},
		{e.Tools && e.ToolChoice, []string{"tool_choice"}},
		{e.WebSearch, []string{"web_search_options"}},
		{e.Tools && e.ParallelTools, []string{"parallel_tool_calls"}},
		{e.Schema, []string{"response_format", "structured_outputs"}},
		{e.Reasoning, []string{"reasoning", "include_reasoning", "reasoning_effort"}},
	} {
		if ability.supported {
			list = append(list, ability.parameters...)
		}
	}
	list = slices.DeleteFunc(list, func(parameter string) bool { return slices.Contains(vendor.Refuses, parameter) })
	slices.Sort(list)
	return slices.Compact(list)
}

package catalog

import (
	"slices"
	"strings"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// dialectTraits is what a wire format has words for.
type dialectTraits struct {
	// parameters are the request parameters that it can say to all of its models.
	parameters []string
	// listed are those that it says to an endpoint only if the endpoint's own list has
	// them: few models take them, and the rest refuse them.
	listed []string
	// claude are the parameters that it says to Claude without a list; nil means
	// parameters.
	claude []string
	// open: it can say any parameter.
	open bool
	// strict are those of parameters that providers take which refuse what the vendor
	// does not define; nil if that is all.
	strict []string
	// schemaOnly: the answer's form is a schema, and never JSON without one.
	schemaOnly bool
	// tasks are the kinds of work besides conversation.
	tasks []string
}

// dialects are those that providers speak, by their name in the configuration.
var dialects = map[string]dialectTraits{
	"anthropic":         {parameters: anthropicParameters, listed: []string{"verbosity"}, schemaOnly: true},
	"anthropic_bedrock": {parameters: anthropicParameters, listed: []string{"verbosity"}, schemaOnly: true},
	"anthropic_vertex":  {parameters: anthropicParameters, listed: []string{"verbosity"}, schemaOnly: true},
	"azure":             {parameters: openAIParameters, open: true, strict: openAIsOwn, tasks: []string{"embeddings"}},
	"bedrock":           {parameters: bedrockParameters, listed: bedrockListed, claude: bedrockClaude, schemaOnly: true},
	"cohere":            {parameters: cohereParameters, tasks: []string{"embeddings", "rerank"}},
	"gemini":            {parameters: geminiParameters, listed: []string{"frequency_penalty", "presence_penalty"}, tasks: []string{"embeddings"}},
	"ollama":            {parameters: ollamaParameters, tasks: []string{"embeddings"}},
	"openai": {
		parameters: openAIParameters, open: true, strict: openAIsOwn,
		tasks: []string{"embeddings", "rerank", "image", "speech", "transcription"},
	},
	"openai_responses": {parameters: responsesParameters},
}

// dialectName is the name that the configuration has for a dialect, "" for none.
func dialectName(from configpb.Dialect) string {
	if from == configpb.Dialect_DIALECT_UNSPECIFIED {
		return ""
	}
	return strings.ToLower(strings.TrimPrefix(from.String(), "DIALECT_"))
}

// dialectsWith are the names of the dialects that have words for a task, sorted.
func dialectsWith(task string) []string {
	var names []string
	for name, traits := range dialects {
		if slices.Contains(traits.tasks, task) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

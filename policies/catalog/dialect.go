package catalog

import (
	"slices"
	"strings"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// dialectTraits is what a wire format has words for.
type dialectTraits struct {
	// parameters are the request parameters that it can say.
	parameters []string
	// tasks are the kinds of work besides conversation.
	tasks []string
}

// dialects are those that providers speak, by their name in the configuration.
var dialects = map[string]dialectTraits{
	"anthropic":         {parameters: anthropicParameters},
	"anthropic_bedrock": {parameters: anthropicParameters},
	"anthropic_vertex":  {parameters: anthropicParameters},
	"azure":             {parameters: openAIParameters, tasks: []string{"embeddings"}},
	// What only Claude has words for, such as top_k, is dropped for other models.
	"bedrock":          {parameters: anthropicParameters},
	"cohere":           {parameters: cohereParameters, tasks: []string{"embeddings", "rerank"}},
	"gemini":           {parameters: geminiParameters, tasks: []string{"embeddings"}},
	"ollama":           {parameters: ollamaParameters, tasks: []string{"embeddings"}},
	"openai":           {parameters: openAIParameters, tasks: []string{"embeddings", "rerank", "image", "speech", "transcription"}},
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

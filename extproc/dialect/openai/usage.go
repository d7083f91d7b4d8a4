package openai

import (
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// readUsage reads a usage object in OpenAI's shape and in those of compatible
// providers. It reports false for one that counts nothing.
func readUsage(object []byte) (dialect.Usage, bool) {
	var u dialect.Usage
	var total, missed int64
	for c := rawjson.Walk(object); c.Next(); {
		switch string(c.Name) {
		case "prompt_tokens", "input_tokens":
			u.Prompt = count(c.Value)
		case "completion_tokens", "output_tokens":
			u.Completion = count(c.Value)
		case "total_tokens":
			total = count(c.Value)
		case "cached_tokens", "prompt_cache_hit_tokens", "cache_read_input_tokens": // Moonshot, DeepSeek, LiteLLM
			u.CacheRead = max(u.CacheRead, count(c.Value))
		case "prompt_cache_miss_tokens":
			missed = count(c.Value)
		case "cache_creation_input_tokens":
			u.CacheWrite = max(u.CacheWrite, count(c.Value))
		case "prompt_tokens_details", "input_tokens_details", "input_token_details":
			readPromptDetails(c.Value, &u)
		case "completion_tokens_details", "output_tokens_details":
			readCompletionDetails(c.Value, &u)
		case "num_search_queries": // Perplexity
			u.WebSearches = max(u.WebSearches, count(c.Value))
		case "server_tool_use", "server_tool_use_details": // as Anthropic and OpenRouter have it
			u.WebSearches = max(u.WebSearches, count(rawjson.Get(c.Value, "web_search_requests")))
		}
	}
	if u.Prompt == 0 {
		u.Prompt = missed + u.CacheRead
	}
	if u.CacheRead+u.CacheWrite > u.Prompt {
		// More was cached than there was: the count excludes what was cached.
		u.Prompt += u.CacheRead + u.CacheWrite
	}
	if u.Reasoning > 0 && total == u.Prompt+u.Completion+u.Reasoning {
		// xAI counts reasoning apart from completion; its total tells.
		u.Completion += u.Reasoning
	}
	u.Reasoning = min(u.Reasoning, u.Completion)
	return u, u.Prompt+u.Completion > 0
}

func readPromptDetails(object []byte, u *dialect.Usage) {
	for c := rawjson.Walk(object); c.Next(); {
		switch string(c.Name) {
		case "cached_tokens":
			u.CacheRead = max(u.CacheRead, count(c.Value))
		case "cache_write_tokens", "cache_creation_tokens":
			u.CacheWrite = max(u.CacheWrite, count(c.Value))
		case "audio_tokens":
			u.AudioPrompt = count(c.Value)
		case "image_tokens":
			u.ImagePrompt = count(c.Value)
		}
	}
}

func readCompletionDetails(object []byte, u *dialect.Usage) {
	for c := rawjson.Walk(object); c.Next(); {
		switch string(c.Name) {
		case "reasoning_tokens":
			u.Reasoning = count(c.Value)
		case "audio_tokens":
			u.AudioCompletion = count(c.Value)
		case "image_tokens":
			u.Images = count(c.Value)
		case "accepted_prediction_tokens":
			u.AcceptedPrediction = count(c.Value)
		case "rejected_prediction_tokens":
			u.RejectedPrediction = count(c.Value)
		}
	}
}

// mostTokens keeps sums of what a provider claims within an int64.
const mostTokens = 1 << 40

func count(value []byte) int64 {
	n, _ := rawjson.Int(value)
	return min(max(n, 0), mostTokens)
}

package provider

import (
	"net/http"
)

// rerank is the dialect of Cohere's Rerank API, second version.
type rerank struct{ openAI }

// Rerank returns a fake of Cohere's Rerank API, POST {base}/rerank. It finds the last
// document to be the most relevant, and the first one the least.
func Rerank(config Config) *Provider {
	return newProvider(config, rerank{})
}

func (rerank) locate(target string) (address, bool) { return address{}, target == "/rerank" }

// rerankRequest takes documents as strings only: objects were of the first version.
var rerankRequest = object(fields{
	"model":              need(text(0)),
	"query":              need(allOf(text(0), present)),
	"documents":          need(list(1, text(0))),
	"top_n":              may(integer(1, mostTokens)),
	"max_tokens_per_doc": may(integer(1, mostTokens)),
	"priority":           may(integer(0, 999)),
})

func (d rerank) judge(_ address, body map[string]any, _ http.Header) (request, *refusal) {
	if wrong := rerankRequest(nil, body); wrong != nil {
		worded := d.mistake(*wrong)
		return request{}, &worded
	}
	req := request{model: body["model"].(string), inputs: len(body["documents"].([]any))}
	req.results = req.inputs
	if most, given := body["top_n"].(float64); given {
		req.results = min(req.results, int(most))
	}
	return req, nil
}

// documentsPerSearch is how many documents are billed as one search.
const documentsPerSearch = 100

func (rerank) whole(req request, _ Answer) []byte {
	results := make([]any, req.results)
	for i := range results {
		results[i] = map[string]any{"index": req.inputs - 1 - i, "relevance_score": 0.9 / float64(i+1)}
	}
	return []byte(encode(map[string]any{
		"id": "07734bd2-2473-4f07-94e1-0d9f0e6843cf", "results": results,
		"meta": map[string]any{
			"api_version":  map[string]any{"version": "2"},
			"billed_units": map[string]any{"search_units": (req.inputs + documentsPerSearch - 1) / documentsPerSearch},
		},
	}))
}

func (rerank) headers() http.Header {
	return http.Header{
		"X-Debug-Trace-Id":              {"0123456789abcdef"},
		"X-Endpoint-Monthly-Call-Limit": {"1000"},
		"X-Trial-Endpoint-Call-Limit":   {"40"},
		"Set-Cookie":                    {"session=secret; path=/; HttpOnly"},
	}
}

func (rerank) errorBody(r refusal) []byte {
	return []byte(encode(map[string]any{"id": "07734bd2-2473-4f07-94e1-0d9f0e6843cf", "message": r.message}))
}

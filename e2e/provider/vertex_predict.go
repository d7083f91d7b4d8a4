package provider

import (
	"net/http"
	"strings"
)

// vertexPredictRequest is that of predict with a model of embeddings. Other than the rest
// of the API its instances have names in snake case.
var vertexPredictRequest = object(fields{
	"instances": need(list(1, object(fields{
		"content": need(text(0)),
		"task_type": may(enum("SEMANTIC_SIMILARITY", "CLASSIFICATION", "CLUSTERING", "RETRIEVAL_DOCUMENT", "RETRIEVAL_QUERY",
			"CODE_RETRIEVAL_QUERY", "QUESTION_ANSWERING", "FACT_VERIFICATION")),
		"title": may(text(0)),
	}))),
	"parameters": may(object(fields{"outputDimensionality": may(integer(1, 3072))})),
})

const predict = "predict"

// locate knows no batchEmbedContents, which AI Studio alone has.
func (d vertexGemini) locate(target string) (address, bool) {
	at, found := d.gemini.locate(target)
	if found && at.task != "" {
		return address{}, false
	}
	if model, asked := strings.CutSuffix(strings.TrimPrefix(target, "/models/"), ":"+predict); asked {
		return address{model: model, task: predict}, true
	}
	return at, found
}

func (d vertexGemini) judgePredict(at address, body map[string]any) (request, *refusal) {
	req := request{model: at.model, task: at.task}
	if wrong := vertexPredictRequest(nil, body); wrong != nil {
		worded := d.mistake(*wrong)
		return req, &worded
	}
	inputs := body["instances"].([]any)
	if req.inputs = len(inputs); req.inputs > 1 && strings.HasPrefix(at.model, "gemini-embedding") {
		return req, &refusal{status: http.StatusBadRequest, message: "The model takes one instance a request."}
	}
	for _, input := range inputs {
		if said := input.(map[string]any); said["title"] != nil && said["task_type"] != "RETRIEVAL_DOCUMENT" {
			return req, &refusal{status: http.StatusBadRequest, message: "title is for RETRIEVAL_DOCUMENT only."}
		}
	}
	return req, nil
}

// vertexPredictions tells all tokens with the first input.
func vertexPredictions(req request, a Answer) []byte {
	predictions := make([]any, req.inputs)
	tokens := a.complete().Usage.Input
	for i := range predictions {
		predictions[i] = map[string]any{"embeddings": map[string]any{
			"values": Vector(i), "statistics": map[string]any{"token_count": tokens, "truncated": false},
		}}
		tokens = 0
	}
	return []byte(encode(map[string]any{"predictions": predictions, "metadata": map[string]any{"billableCharacterCount": 2}}))
}

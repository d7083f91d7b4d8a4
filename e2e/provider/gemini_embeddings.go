package provider

import "net/http"

// geminiEmbedRequest is that of batchEmbedContents, whose requests must name the model of
// the path again.
var geminiEmbedRequest = object(fields{
	"requests": need(list(1, object(fields{
		"model":   need(matching(`^(models|tunedModels)/.`)),
		"content": need(object(fields{"role": may(text(0)), "parts": need(list(1, geminiPart))})),
		"taskType": may(enum("SEMANTIC_SIMILARITY", "CLASSIFICATION", "CLUSTERING", "RETRIEVAL_DOCUMENT", "RETRIEVAL_QUERY",
			"CODE_RETRIEVAL_QUERY", "QUESTION_ANSWERING", "FACT_VERIFICATION")),
		"title":                may(text(0)),
		"outputDimensionality": may(integer(1, 3072)),
	}))),
})

func (d gemini) judgeEmbeddings(at address, body map[string]any) (request, *refusal) {
	req := request{model: at.model, task: at.task}
	if wrong := geminiEmbedRequest(nil, body); wrong != nil {
		worded := d.mistake(*wrong)
		return req, &worded
	}
	inputs := body["requests"].([]any)
	const mostInputs = 100
	if req.inputs = len(inputs); req.inputs > mostInputs {
		return req, &refusal{status: http.StatusBadRequest, message: "* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch"}
	}
	for _, element := range inputs {
		input := element.(map[string]any)
		if input["model"] != "models/"+at.model {
			return req, &refusal{status: http.StatusBadRequest, message: "The model of a request must be that of the batch."}
		}
		if input["title"] != nil && input["taskType"] != "RETRIEVAL_DOCUMENT" {
			return req, &refusal{status: http.StatusBadRequest, message: "Title is for documents only."}
		}
	}
	return req, nil
}

// geminiEmbeddings tells of usage unless it is to be nowhere: with older models it is not.
func geminiEmbeddings(req request, a Answer) []byte {
	vectors := make([]any, req.inputs)
	for i := range vectors {
		vectors[i] = map[string]any{"values": Vector(i)}
	}
	body := map[string]any{"embeddings": vectors}
	if a.UsageIn != UsageNowhere {
		body["usageMetadata"] = map[string]any{"promptTokenCount": a.complete().Usage.Input}
	}
	return []byte(encode(body))
}

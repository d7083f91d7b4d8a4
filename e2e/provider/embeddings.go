package provider

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"net/http"
	"strings"
)

// embeddings is the dialect of OpenAI's Embeddings API.
type embeddings struct{ openAI }

// Embeddings returns a fake of the Embeddings API, POST {base}/embeddings. It answers
// with the vector [Vector] of each input.
func Embeddings(config Config) *Provider {
	return newProvider(config, embeddings{})
}

func (embeddings) locate(target string) (address, bool) { return address{}, target == "/embeddings" }

// mostInputs is how many inputs a request may have.
const mostInputs = 2048

var embeddingsRequest = object(fields{
	"model":           need(text(0)),
	"input":           need(either(present, list(1, anything))),
	"dimensions":      may(integer(1, 3072)),
	"encoding_format": may(enum("float", "base64")),
	"user":            may(text(0)),
})

// present refuses the empty string, which has no token.
func present(at path, value any) *mistake {
	if value == "" {
		return &mistake{at, badValue, "a string that is not empty", value}
	}
	return nil
}

// embeddingsInput holds a list to one kind of inputs.
func embeddingsInput(at path, inputs []any) *mistake {
	token := integer(0, mostTokens)
	kinds := []check{allOf(text(0), present), token, list(1, token)}
	var wrong *mistake
	for _, kind := range kinds {
		if wrong = list(1, kind)(at, inputs); wrong == nil {
			return nil
		}
	}
	return wrong
}

func (d embeddings) judge(_ address, body map[string]any, _ http.Header) (request, *refusal) {
	wrong := embeddingsRequest(nil, body)
	inputs, several := body["input"].([]any)
	if several && wrong == nil {
		wrong = embeddingsInput(path{"input"}, inputs)
	}
	if wrong != nil {
		worded := d.mistake(*wrong)
		return request{}, &worded
	}
	req := request{model: body["model"].(string), base64: body["encoding_format"] == "base64", inputs: 1}
	if several {
		if _, tokens := inputs[0].(float64); !tokens {
			req.inputs = len(inputs)
		}
	}
	switch {
	case req.inputs > mostInputs:
		return req, &refusal{status: http.StatusBadRequest, param: "input", message: "Invalid 'input': array too long."}
	case body["dimensions"] != nil && strings.Contains(req.model, "ada"):
		return req, &refusal{status: http.StatusBadRequest, param: "dimensions", message: "This model does not support specifying dimensions."}
	}
	return req, nil
}

// Vector is that of the input of this number. Its floats need 32 bits.
func Vector(input int) []float32 { return []float32{float32(input) + 0.5, -0.25, 1e-3} }

func (embeddings) whole(req request, a Answer) []byte {
	data := make([]any, req.inputs)
	for i := range data {
		var vector any = Vector(i)
		if req.base64 {
			vector = encodeVector(Vector(i))
		}
		data[i] = map[string]any{"object": "embedding", "index": i, "embedding": vector}
	}
	usage := a.complete().Usage
	return []byte(encode(map[string]any{
		"object": "list", "model": req.model, "data": data,
		"usage": map[string]any{"prompt_tokens": usage.Input, "total_tokens": usage.Input},
	}))
}

func encodeVector(vector []float32) string {
	var floats []byte
	for _, number := range vector {
		floats = binary.LittleEndian.AppendUint32(floats, math.Float32bits(number))
	}
	return base64.StdEncoding.EncodeToString(floats)
}

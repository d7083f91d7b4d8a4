package provider

import (
	"cmp"
	"slices"

	"github.com/go-json-experiment/json"
)

const geminiResponseID = "x6kYaYqoHcWdkdUPlZzH2Ac"

func (gemini) whole(req request, a Answer) []byte {
	if req.task != "" {
		return geminiEmbeddings(req, a)
	}
	a = a.complete()
	var parts []any
	for _, piece := range geminiParts(req, a) {
		parts = append(parts, piece.whole)
	}
	body := geminiEnvelope(req, a)
	body["candidates"] = []any{geminiCandidate(parts, geminiFinish(a))}
	if a.UsageIn != UsageNowhere {
		body["usageMetadata"] = geminiUsage(a)
	}
	return []byte(encode(body))
}

func (gemini) events(req request, a Answer) []event {
	a = a.complete()
	var events []event
	chunk := func(piece bool, part any, finish string, usage map[string]any) {
		body := geminiEnvelope(req, a)
		body["candidates"] = []any{geminiCandidate([]any{part}, finish)}
		if a.UsageIn != UsageNowhere {
			body["usageMetadata"] = usage
		}
		events = append(events, event{data: encode(body), piece: piece})
	}
	// The API counts the prompt in every chunk, and the answer in the last.
	early := map[string]any{"promptTokenCount": a.Usage.Input, "totalTokenCount": a.Usage.Input}
	for _, part := range geminiParts(req, a) {
		for _, piece := range part.pieces {
			chunk(true, piece, "", early)
		}
	}
	chunk(false, map[string]any{"text": ""}, geminiFinish(a), geminiUsage(a))
	return events
}

// geminiPiecewise is a part in one, and in the pieces in which it is streamed.
type geminiPiecewise struct {
	whole  map[string]any
	pieces []map[string]any
}

func geminiParts(req request, a Answer) []geminiPiecewise {
	var parts []geminiPiecewise
	words := func(texts []string, thought bool) {
		if len(texts) == 0 {
			return
		}
		part := geminiPiecewise{whole: geminiText("", thought)}
		for _, text := range texts {
			part.whole["text"] = part.whole["text"].(string) + text
			part.pieces = append(part.pieces, geminiText(text, thought))
		}
		parts = append(parts, part)
	}
	words(pieces(a.Reasoning), true)
	thoughts := len(parts)
	words(slices.Concat(a.Pieces, pieces(a.Refusal)), false)
	called := len(parts)
	for _, call := range a.ToolCalls {
		args := map[string]any{}
		if err := json.Unmarshal([]byte(call.Arguments), &args); err != nil {
			panic(err) // a mistake of the test's
		}
		whole := map[string]any{"functionCall": map[string]any{"id": call.ID, "name": call.Name, "args": args}}
		parts = append(parts, geminiPiecewise{whole: whole, pieces: []map[string]any{whole}})
	}
	if a.Reasoning != "" && thoughts < len(parts) && thoughts < called {
		parts[thoughts].sign()
	}
	if called < len(parts) && (a.Reasoning != "" || geminiGeneration3(req.model)) {
		parts[called].sign()
	}
	return parts
}

// sign signs the part, and its last piece.
func (p *geminiPiecewise) sign() {
	signature := geminiSignature(p.whole)
	p.whole["thoughtSignature"] = signature
	p.pieces[len(p.pieces)-1]["thoughtSignature"] = signature
}

func geminiText(text string, thought bool) map[string]any {
	part := map[string]any{"text": text}
	if thought {
		part["thought"] = true
	}
	return part
}

func geminiCandidate(parts []any, finish string) map[string]any {
	candidate := map[string]any{"index": 0, "content": map[string]any{"role": "model", "parts": parts}}
	if finish != "" {
		candidate["finishReason"] = finish
	}
	return candidate
}

func geminiEnvelope(req request, a Answer) map[string]any {
	return map[string]any{"modelVersion": cmp.Or(a.Model, req.model), "responseId": geminiResponseID}
}

func geminiFinish(a Answer) string {
	if a.Refusal != "" {
		return cmp.Or(a.Finish, "SAFETY")
	}
	return cmp.Or(a.Finish, "STOP") // also with tool calls
}

func geminiUsage(a Answer) map[string]any {
	u := a.Usage
	usage := map[string]any{
		"promptTokenCount":     u.Input,
		"candidatesTokenCount": u.Output - u.Reasoning,
		"totalTokenCount":      u.Input + u.Output,
		"promptTokensDetails":  []any{map[string]any{"modality": "TEXT", "tokenCount": u.Input}},
	}
	if u.Reasoning > 0 {
		usage["thoughtsTokenCount"] = u.Reasoning
	}
	if u.CacheRead > 0 {
		usage["cachedContentTokenCount"] = u.CacheRead
	}
	if a.ServiceTier != "" {
		usage["serviceTier"] = a.ServiceTier
	}
	return usage
}

package extproc

import (
	"cmp"
	"fmt"

	"github.com/switchyard/switchyard/extproc/compress"
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/policies/catalog"
)

const (
	// answerShare is the part of a context that is kept for an answer of which the client
	// does not say how long it may be.
	answerShare = 4
	// promptSlack is the part of the rest that a compressed prompt leaves free: counts of
	// tokens are estimates, and tend to be low.
	promptSlack = 8
	// anthropicMessages is how many messages a request to Anthropic may have (row 118).
	anthropicMessages = 1000
)

// compress leaves out the middle of a prompt that does not fit the endpoint, if the plan
// says so (rows 117 and 118). The request is then translated, for a provider that speaks
// the client's dialect too: the neutral form has one notion of a message and of a call
// with its results, where the bytes of each dialect have another.
func (a *attempt) compress() {
	if !a.candidate.Compress {
		return
	}
	bounds := compress.Bounds{Excess: excess(a.request, a.candidate.Endpoint)}
	if a.provider.Name() == "anthropic" { // the clouds' too
		bounds.Messages = anthropicMessages
	}
	if bounds == (compress.Bounds{}) {
		return
	}
	chat, err := a.request.Chat()
	if err != nil {
		return // a provider that cannot pass it on says so
	}
	shorter, report := compress.MiddleOut(chat, bounds)
	if shorter == chat {
		return
	}
	before := promptTokens(a.request)
	a.request = a.request.WithChat(shorter)
	a.request.PromptBytes = max(0, a.request.PromptBytes-report.Saved)
	a.pipeline = append(a.pipeline, pipelineStage{
		Type: "context_compression", Name: "context-compression",
		Summary: fmt.Sprintf("Messages left out: %d of %d; texts shortened: %d.", report.Removed, len(chat.Messages), report.Shortened),
		Data: compression{
			Engine: "middle-out", Removed: report.Removed, Shortened: report.Shortened,
			TokensBefore: before, TokensAfter: promptTokens(a.request),
		},
	})
}

// compression is what became of a prompt. Tokens are estimates.
type compression struct {
	Engine       string `json:"engine"`
	Removed      int    `json:"messages_removed"`
	Shortened    int    `json:"texts_shortened"`
	TokensBefore int64  `json:"prompt_tokens_before"`
	TokensAfter  int64  `json:"prompt_tokens_after"`
}

// excess is by how many bytes the prompt is too long for an endpoint, zero if it fits.
// What has to be compressed at all leaves room for the answer, and for an estimate that
// was too low.
func excess(request *dialect.Request, endpoint *catalog.Endpoint) int64 {
	tokens := promptTokens(request)
	context, most := endpoint.ContextLength, endpoint.MaxPromptTokens
	overflows := context > 0 && tokens+request.MaxTokens > context || most > 0 && tokens > most
	if !overflows {
		return 0
	}
	room := most
	if context > 0 {
		answer := cmp.Or(request.MaxTokens, context/answerShare)
		room = max(0, context-answer)
		if most > 0 {
			room = min(room, most)
		}
	}
	room -= room / promptSlack
	return max(0, request.PromptBytes-room*dialect.BytesPerToken)
}

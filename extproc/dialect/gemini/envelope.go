package gemini

import (
	"strconv"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// envelope writes what is around the candidates of an answer.
type envelope struct {
	meta dialect.Meta
	// tier is the service tier that served, so far as is known, or "".
	tier string
}

func newEnvelope(meta dialect.Meta) envelope { return envelope{meta: meta, tier: meta.ServiceTier} }

// identity appends which model answers, and the answer's id, to an open object.
func (e *envelope) identity(dst []byte) []byte {
	dst = rawjson.AppendText(dst, "modelVersion", e.meta.Model)
	return rawjson.AppendText(dst, "responseId", e.meta.ID)
}

// routed appends who served, and how the answer was routed (spec section 4.13). Google's
// SDKs leave out what they do not know.
func (e *envelope) routed(dst []byte) []byte {
	if e.meta.Provider != "" {
		dst = rawjson.AppendText(dst, "provider", e.meta.Provider)
	}
	if e.meta.RouterMetadata != nil {
		dst = rawjson.AppendMember(dst, "openrouter_metadata", e.meta.RouterMetadata)
	}
	return dst
}

// usage appends the member usageMetadata. Thoughts are counted beside the candidates
// here, and the cost is the gateway's own.
func (e *envelope) usage(dst []byte, u dialect.Usage) []byte {
	count := func(name string, n int64) { dst = strconv.AppendInt(rawjson.AppendName(dst, name), n, 10) }
	optional := func(name string, n int64) {
		if n > 0 {
			count(name, n)
		}
	}
	modalities := func(name string, counts ...int64) { // of text, audio and images
		dst = append(rawjson.AppendName(dst, name), '[')
		for i, n := range counts {
			if n > 0 {
				dst = rawjson.AppendText(append(rawjson.Comma(dst), '{'), "modality", []string{"TEXT", "AUDIO", "IMAGE"}[i])
				count("tokenCount", n)
				dst = append(dst, '}')
			}
		}
		dst = append(dst, ']')
	}
	said := max(u.Completion-u.Reasoning, 0)
	dst = append(rawjson.AppendName(dst, "usageMetadata"), '{')
	count("promptTokenCount", u.Prompt)
	optional("cachedContentTokenCount", u.CacheRead)
	count("candidatesTokenCount", said)
	optional("thoughtsTokenCount", u.Reasoning)
	count("totalTokenCount", u.Prompt+u.Completion)
	modalities("promptTokensDetails", max(u.Prompt-u.AudioPrompt, 0), u.AudioPrompt)
	modalities("candidatesTokensDetails", max(said-u.AudioCompletion-u.Images, 0), u.AudioCompletion, u.Images)
	if e.tier != "" {
		dst = rawjson.AppendText(dst, "serviceTier", wireTier(e.tier))
	}
	return append(dialect.AppendCost(dst, &e.meta, u), '}')
}

// wireTier is the API's word for a tier: the ordinary one is "standard".
func wireTier(tier string) string {
	if tier == "default" {
		return "standard"
	}
	return tier
}

// fail appends the chunk of an error, behind which nothing comes. The SDKs know it by
// its first member.
func (e *envelope) fail(dst []byte, failure *dialect.Error) []byte {
	told := *failure
	told.GenerationID = e.meta.ID
	start := len(dst)
	dst = append(appendError(append(dst, "data: "...), &told), "\n\n"...)
	rawjson.OneLine(dst[start : len(dst)-2])
	return dst
}

// alive keeps a stream alive. Google's SDKs take a comment for a chunk that is no JSON,
// and fail; to any reader of events blank lines are none. Two are needed: the SDK in Go cuts
// the stream at every pair of line ends, and a single one would begin its next chunk.
func alive(dst []byte) []byte { return append(dst, "\n\n"...) }

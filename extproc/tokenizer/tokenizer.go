// Package tokenizer counts the tokens of texts, for where no provider did.
//
// OpenAI's vocabularies are public, and are built in: nothing is loaded over the network.
// The tokenizers of most other makers are not public. Their models are counted by
// OpenAI's newest, which is the nearest thing there is: a count that is an estimate, and
// is to be told as one.
package tokenizer

import (
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/tiktoken-go/tokenizer/codec"
)

const (
	// longestCounted is how many bytes of one text are counted. What is longer is
	// sampled: even the worst text then takes a fraction of a second, and ordinary ones
	// some 15 ms.
	longestCounted = 128 << 10
	// longestPiece bounds what the vocabulary is asked at once. The time that it takes
	// grows with the square of some texts, such as of one blank line after another.
	longestPiece = 1 << 10
	// sampled is the length of one sample of a long text.
	sampled = 4 << 10
)

// Tokenizer counts by one vocabulary. It is safe for concurrent use.
type Tokenizer struct{ vocabulary func() *codec.Codec }

// Each vocabulary takes some 5 MB and 20 ms from when it is first used.
var (
	o200k  = &Tokenizer{sync.OnceValue(codec.NewO200kBase)}
	cl100k = &Tokenizer{sync.OnceValue(codec.NewCl100kBase)}
)

// For is the tokenizer of a model, by its name at its provider or its id here. Names tell
// what the catalog's families do not: which of OpenAI's a model has.
func For(model string) *Tokenizer {
	name := strings.TrimPrefix(model[strings.LastIndexByte(model, '/')+1:], "ft:")
	for _, older := range []string{"gpt-4-", "gpt-3.5-", "gpt-35-", "text-embedding-"} { // Azure has no dots
		if strings.HasPrefix(name+"-", older) {
			return cl100k
		}
	}
	return o200k
}

// Count is how many tokens a text is. Of one that is longer than 128 KiB it is what
// samples from all over it make likely.
func (t *Tokenizer) Count(text string) int64 {
	if len(text) <= longestCounted {
		return t.count(text)
	}
	const samples = longestCounted / sampled
	stride := len(text) / samples
	tokens, read := int64(0), int64(0)
	for i := range samples {
		sample := text[i*stride:]
		sample = sample[:cut(sample, sampled)]
		tokens, read = tokens+t.count(sample), read+int64(len(sample))
	}
	return (tokens*int64(len(text)) + read - 1) / read
}

func (t *Tokenizer) count(text string) int64 {
	vocabulary, tokens := t.vocabulary(), int64(0)
	for len(text) > 0 {
		end := cut(text, longestPiece)
		counted, err := vocabulary.Count(text[:end])
		if err != nil {
			counted = end // there is no error but a time limit's, and none is set
		}
		tokens, text = tokens+int64(counted), text[end:]
	}
	return tokens
}

// cut is where to cut a text, at most so many bytes from its beginning: before the last
// word of these, where no token is cut in two, or else between two characters.
func cut(text string, most int) int {
	if len(text) <= most {
		return len(text)
	}
	for at := min(most, len(text)-2); at > most/2; at-- {
		if text[at] == ' ' && isWord(text[at-1]) && isWord(text[at+1]) {
			return at
		}
	}
	at := most
	for at > most-utf8.UTFMax && !utf8.RuneStart(text[at]) {
		at--
	}
	return at
}

// isWord reports whether a byte is of a letter or a digit.
func isWord(b byte) bool {
	return b >= utf8.RuneSelf || '0' <= b && b <= '9' || 'a' <= b|0x20 && b|0x20 <= 'z'
}

package openai

import (
	"strconv"
	"unicode/utf8"

	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// logprobs puts the log probabilities of Chat Completions, an object for each token,
// into the older form: a list for each property, and the place of each token in the
// text.
func (e *completionsEncoder) logprobs(choice int, object []byte) []byte {
	for len(e.offsets) <= choice {
		e.offsets = append(e.offsets, 0)
	}
	var tokens, chances, alternatives, offsets []byte
	for c := rawjson.Walk(rawjson.Get(object, "content")); c.Next(); {
		token, chance, others := readToken(c.Value)
		tokens = rawjson.AppendQuoted(comma(tokens), token)
		chances = append(comma(chances), chance...)
		alternatives = appendAlternatives(comma(alternatives), others)
		offsets = strconv.AppendInt(comma(offsets), int64(e.offsets[choice]), 10)
		e.offsets[choice] += utf8.RuneCount(token)
	}
	dst := []byte{'{'}
	for _, list := range []struct {
		name  string
		value []byte
	}{{"tokens", tokens}, {"token_logprobs", chances}, {"top_logprobs", alternatives}, {"text_offset", offsets}} {
		dst = append(append(rawjson.AppendName(dst, list.name), '['), list.value...)
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

// comma separates the elements of a list whose bracket is not there yet.
func comma(list []byte) []byte {
	if len(list) == 0 {
		return list
	}
	return append(list, ',')
}

func readToken(object []byte) (token, chance, others []byte) {
	chance = null
	for c := rawjson.Walk(object); c.Next(); {
		switch string(c.Name) {
		case "token":
			token = rawjson.Unquote(c.Value)
		case "logprob":
			chance = c.Value
		case "top_logprobs":
			others = c.Value
		}
	}
	return token, chance, others
}

// appendAlternatives appends an object of chances by token. Of tokens that read alike,
// as parts of characters do, the first and likeliest stays.
func appendAlternatives(dst, list []byte) []byte {
	dst = append(dst, '{')
	seen := make(map[string]bool)
	for c := rawjson.Walk(list); c.Next(); {
		token, chance, _ := readToken(c.Value)
		if seen[string(token)] {
			continue
		}
		seen[string(token)] = true
		dst = append(rawjson.AppendQuoted(rawjson.Comma(dst), token), ':')
		dst = append(dst, chance...)
	}
	return append(dst, '}')
}

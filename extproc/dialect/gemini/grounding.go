package gemini

import (
	"strconv"
	"unicode/utf8"

	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

const (
	// mostHeard bounds the text that is kept to count sources in, in bytes.
	mostHeard = 1 << 20
	// mostSources bounds what is kept of an answer's sources, and the work of counting.
	mostSources = 256
)

// source is a page that a piece of the text is from.
type source struct {
	uri, title, quote string
	start, end        int // in bytes of UTF-8
}

func (s *speech) hear(text string) {
	s.heard = append(s.heard, text[:min(len(text), mostHeard-len(s.heard))]...)
}

// cite notes an annotation of Chat Completions, which counts characters where the API
// counts bytes.
func (s *speech) cite(annotation []byte) {
	cited := rawjson.Get(annotation, "url_citation")
	uri := rawjson.Text(rawjson.Get(cited, "url"))
	if uri == "" || len(s.sources) == mostSources {
		return
	}
	offset := func(name string) int {
		n, _ := rawjson.Int(rawjson.Get(cited, name))
		return s.offset(n)
	}
	s.sources = append(s.sources, source{
		uri: uri, title: rawjson.Text(rawjson.Get(cited, "title")), quote: rawjson.Text(rawjson.Get(cited, "content")),
		start: offset("start_index"), end: offset("end_index"),
	})
}

// offset is where the character of a number begins. It goes on from where it was asked
// last, as sources mostly come in order.
func (s *speech) offset(character int64) int {
	if character < s.counted.characters {
		s.counted = place{}
	}
	for s.counted.characters < character && s.counted.bytes < len(s.heard) {
		_, size := utf8.DecodeRune(s.heard[s.counted.bytes:])
		s.counted.bytes += size
		s.counted.characters++
	}
	return s.counted.bytes
}

// place is one in a text.
type place struct {
	characters int64
	bytes      int
}

// grounding appends the sources as the API tells of pages that a search has found.
func (s *speech) grounding(dst []byte) []byte {
	pages := map[string]int{}
	dst = append(rawjson.AppendName(dst, "groundingMetadata"), `{"groundingChunks":[`...)
	for _, cited := range s.sources {
		if _, known := pages[cited.uri]; known {
			continue
		}
		pages[cited.uri] = len(pages)
		dst = rawjson.AppendText(append(rawjson.Comma(dst), `{"web":{`...), "uri", cited.uri)
		dst = append(rawjson.AppendText(dst, "title", cited.title), "}}"...)
	}
	dst = append(dst, `],"groundingSupports":[`...)
	for _, cited := range s.sources {
		dst = append(rawjson.Comma(dst), `{"segment":{`...)
		if cited.start > 0 {
			dst = strconv.AppendInt(rawjson.AppendName(dst, "startIndex"), int64(cited.start), 10)
		}
		dst = strconv.AppendInt(rawjson.AppendName(dst, "endIndex"), int64(cited.end), 10)
		text := cited.quote
		if cited.end > cited.start {
			text = string(s.heard[cited.start:cited.end])
		}
		dst = rawjson.AppendText(dst, "text", text)
		dst = append(dst, `},"groundingChunkIndices":[`...)
		dst = append(strconv.AppendInt(dst, int64(pages[cited.uri]), 10), "]}"...)
	}
	return append(dst, "]}"...)
}

// weigh notes the logprobs of Chat Completions.
func (s *speech) weigh(raw []byte) {
	for c := rawjson.Walk(rawjson.Get(raw, "content")); c.Next(); {
		s.chosen = appendToken(s.chosen, c.Value)
		s.top = append(rawjson.Comma(s.top), `{"candidates":[`...)
		for t := rawjson.Walk(rawjson.Get(c.Value, "top_logprobs")); t.Next(); {
			s.top = appendToken(s.top, t.Value)
		}
		s.top = append(s.top, "]}"...)
	}
}

// logprobs appends what was noted, in the API's form.
func (s *speech) logprobs(dst []byte) []byte {
	if len(s.chosen) == 0 {
		return dst
	}
	dst = append(append(rawjson.AppendName(dst, "logprobsResult"), `{"chosenCandidates":[`...), s.chosen[1:]...)
	dst = append(append(append(dst, `],"topCandidates":[`...), s.top[1:]...), "]}"...)
	s.chosen, s.top = s.chosen[:0], s.top[:0]
	return dst
}

func appendToken(dst, token []byte) []byte {
	dst = rawjson.AppendText(append(rawjson.Comma(dst), '{'), "token", rawjson.Text(rawjson.Get(token, "token")))
	if probability := rawjson.Get(token, "logprob"); rawjson.Kind(probability) == '0' {
		dst = rawjson.AppendMember(dst, "logProbability", probability)
	}
	return append(dst, '}')
}

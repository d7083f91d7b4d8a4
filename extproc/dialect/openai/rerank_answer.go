package openai

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// rerankPipe carries an order of documents, and puts the documents back into it that
// the provider gave numbers only.
type rerankPipe struct {
	taskPipe
	work *rerank
}

var errNoResults = errors.New("the provider's answer has no results")

func (p *rerankPipe) Whole(dst []byte, body []byte) ([]byte, error) {
	answer, err := p.read(body)
	if err != nil {
		return dst, err
	}
	results := rawjson.Get(answer, "results")
	if results == nil {
		results = rawjson.Get(answer, "data") // Voyage
	}
	start := len(dst)
	dst = append(rawjson.AppendName(p.open(dst), "results"), '[')
	count := int64(0)
	for c := rawjson.Walk(results); count < p.work.most && c.Next(); count++ {
		if dst, err = p.result(dst, c.Value); err != nil {
			return dst[:start], err
		}
	}
	if count == 0 {
		return dst[:start], errNoResults
	}
	p.progress.Started, p.progress.Done = true, true
	p.progress.Usage, p.progress.HasUsage = readRerankUsage(answer)
	return p.finish(p.appendRerankUsage(append(dst, ']'), p.Progress().Usage)), nil
}

func (p *rerankPipe) result(dst, element []byte) ([]byte, error) {
	index, score := int64(-1), []byte(nil)
	for c := rawjson.Walk(element); c.Next(); {
		switch string(c.Name) {
		case "index":
			if n, ok := rawjson.Int(c.Value); ok {
				index = n
			}
		case "relevance_score":
			score = c.Value
		}
	}
	if index < 0 || index >= int64(len(p.work.documents)) {
		return dst, fmt.Errorf("the provider's answer ranks document %d of %d", index, len(p.work.documents))
	}
	if rawjson.Kind(score) != '0' {
		return dst, errors.New("the provider's answer has a result without a relevance_score")
	}
	return p.work.appendResult(dst, index, score), nil
}

// appendResult appends one result with its document.
func (w *rerank) appendResult(dst []byte, index int64, score []byte) []byte {
	dst = strconv.AppendInt(append(rawjson.Comma(dst), `{"index":`...), index, 10)
	dst = rawjson.AppendName(rawjson.AppendMember(dst, "relevance_score", score), "document")
	document := w.documents[index]
	if rawjson.Kind(document) == '"' {
		dst = append(rawjson.AppendMember(append(dst, '{'), "text", document), '}')
	} else {
		dst = append(dst, document...)
	}
	return append(dst, '}')
}

// readRerankUsage reads what Cohere bills, searches or tokens, and what others count.
func readRerankUsage(answer []byte) (dialect.Usage, bool) {
	usage, counted := readTaskUsage(rawjson.Get(answer, "usage"))
	billed := rawjson.Get(rawjson.Get(answer, "meta"), "billed_units")
	usage.SearchUnits = count(rawjson.Get(billed, "search_units"))
	if usage.Prompt == 0 {
		usage.Prompt = count(rawjson.Get(billed, "input_tokens"))
	}
	return usage, counted || usage.SearchUnits > 0 || usage.Prompt > 0
}

func (a *taskAnswer) appendRerankUsage(dst []byte, usage dialect.Usage) []byte {
	cost := a.cost(usage)
	w := writer{dst: dst}
	w.object("usage", func() {
		w.raw("cost", []byte(cost.Total))
		if usage.SearchUnits > 0 {
			w.whole("search_units", &usage.SearchUnits)
		}
		if usage.Prompt > 0 {
			w.whole("total_tokens", &usage.Prompt)
		}
	})
	return w.dst
}

package main

import (
	"bytes"
	"fmt"
	"strings"
)

// stampDigits hold a Unix time in nanoseconds.
const stampDigits = 19

// stampMark stands before the time stamp in an event's content.
const stampMark = `"content":"T`

const bodyBytes = 1024 // of a request and of a whole answer

// The upstream's answers, ready to be written. Nobody changes them.
var (
	wholeAnswer = httpResponse("application/json", fill(`{"id":"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT","object":"chat.completion",`+
		`"created":1787612977,"model":"bench-1","choices":[{"index":0,"message":{"role":"assistant","content":"`, `","refusal":null},`+
		`"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":200,"completion_tokens":180,"total_tokens":380},`+
		`"system_fingerprint":"fp_44709d6fcb"}`))
	streamHead = []byte("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
	// streamEvent is of the size that real providers send.
	streamEvent = chunk(eventHead + `{"index":0,"delta":{"role":"assistant",` + stampMark + strings.Repeat("0", stampDigits) +
		` token"},"logprobs":null,"finish_reason":null}]}` + "\n\n")
	streamStamp = bytes.Index(streamEvent, []byte(stampMark)) + len(stampMark)
	// streamEnd tells what was used, as the gateway asks every provider to: one that does
	// not has its answer's tokens counted.
	streamEnd = append(chunk(eventHead+`{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}`+"\n\n"+
		eventHead+`],"usage":{"prompt_tokens":200,"completion_tokens":20,"total_tokens":220}}`+"\n\ndata: [DONE]\n\n"), "0\r\n\r\n"...)
)

const eventHead = `data: {"id":"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT","object":"chat.completion.chunk","created":1787612977,` +
	`"model":"bench-1","service_tier":"default","system_fingerprint":"fp_44709d6fcb","choices":[`

func chunk(data string) []byte { return fmt.Appendf(nil, "%x\r\n%s\r\n", len(data), data) }

func httpResponse(contentType, body string) []byte {
	return fmt.Appendf(nil, "HTTP/1.1 200 OK\r\ncontent-type: %s\r\ncontent-length: %d\r\n\r\n%s", contentType, len(body), body)
}

// fill puts as much text between before and after as makes bodyBytes.
func fill(before, after string) string {
	const text = "The quick brown fox jumps over the lazy dog. "
	room := bodyBytes - len(before) - len(after)
	return before + strings.Repeat(text, room/len(text)+1)[:room] + after
}

// requestTo is a whole request for an answer of some kind. The key is the
// gateway's; on the other ways nobody reads it.
func requestTo(path, key string, kind answerKind) []byte {
	body := fill(fmt.Sprintf(`{"model":"bench/%s","stream":%t,"messages":[{"role":"user","content":"`, kind, kind != unary), `"}]}`)
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nhost: bench.test\r\nauthorization: Bearer %s\r\n"+
		"content-type: application/json\r\ncontent-length: %d\r\n\r\n%s", path, key, len(body), body)
}

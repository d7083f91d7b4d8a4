package dialect

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"unicode"

	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// longestMessage bounds a provider's message, in bytes. Some quote the request.
const longestMessage = 2000

// ReadFailure reads the body of an answer whose status is not 2xx: an error in
// OpenAI's shape, in Anthropic's, or in one of their many neighbours'. A page of
// HTML, or nothing, becomes the status in words: no page reaches the client.
func ReadFailure(status int, body []byte) ProviderFailure {
	failure := ProviderFailure{Status: status}
	if text, err := rawjson.Repair(body); err == nil {
		readError(bytes.TrimSpace(text), &failure)
	} else if plain := strings.TrimSpace(string(body[:min(len(body), longestMessage)])); readable(plain) {
		failure.Message = plain
	}
	return complete(failure)
}

// ReadStreamFailure reads an error, valid JSON, that came where an answer should
// be. The status line said 200, so that the status is what the error says of
// itself.
func ReadStreamFailure(value []byte) *ProviderFailure {
	failure := ProviderFailure{}
	readError(value, &failure)
	status, ok := statusOf(value)
	if !ok {
		status = nearestStatus(failure.Code)
	}
	failure.Status = status
	failure = complete(failure)
	return &failure
}

func complete(failure ProviderFailure) ProviderFailure {
	if len(failure.Message) > longestMessage {
		failure.Message = strings.ToValidUTF8(failure.Message[:longestMessage], "") + "…"
	}
	if failure.Message == "" {
		failure.Message = fmt.Sprintf("The provider answered with status %d and gave no reason.", failure.Status)
		if words := http.StatusText(failure.Status); words != "" {
			failure.Message = fmt.Sprintf("The provider answered with status %d (%s) and gave no reason.", failure.Status, words)
		}
	}
	return failure
}

// readError finds the message and the code in an error of any shape: an object or
// a string, in a list, or in one of the members that hold one.
func readError(value []byte, failure *ProviderFailure) {
	for range 8 { // deeper is no error's shape
		var inner []byte
		switch rawjson.Kind(value) {
		case '"':
			if text := strings.TrimSpace(rawjson.Text(value)); readable(text) {
				failure.Message = text
			}
			return
		case '[':
			c := rawjson.Walk(value)
			c.Next()
			inner = c.Value
		case '{':
			inner = readErrorObject(value, failure)
		}
		if inner == nil {
			return
		}
		value = inner
	}
}

// readErrorObject takes the code from one object and returns what may hold the
// message.
func readErrorObject(object []byte, failure *ProviderFailure) []byte {
	var inner, kind, code []byte
	rank := 0
	for c := rawjson.Walk(object); c.Next(); {
		if !rawjson.Present(c.Value) {
			continue
		}
		r := 0
		switch string(c.Name) {
		case "code":
			code = c.Value
		case "type", "status":
			if kind == nil {
				kind = c.Value
			}
		case "error":
			r = 5
		case "message":
			r = 4
		case "detail", "error_message", "msg":
			r = 3
		case "errors", "title":
			r = 2
		}
		if r > rank {
			rank, inner = r, c.Value
		}
	}
	for _, value := range [][]byte{code, kind} {
		if text := rawjson.Text(value); text != "" && text != "error" {
			failure.Code = text
			break
		}
	}
	return inner
}

// readable reports whether text is a sentence rather than a page or binary data.
func readable(text string) bool {
	if text == "" || strings.HasPrefix(text, "<") {
		return false
	}
	return !strings.ContainsFunc(text, func(r rune) bool {
		return r == unicode.ReplacementChar || unicode.IsControl(r) && !unicode.IsSpace(r)
	})
}

// statusOf finds an HTTP status in an error object.
func statusOf(value []byte) (int, bool) {
	for c := rawjson.Walk(value); c.Next(); {
		switch string(c.Name) {
		case "code", "status", "status_code", "http_code":
			n, ok := rawjson.Int(c.Value)
			if !ok {
				n, ok = rawjson.Int(rawjson.Unquote(c.Value))
			}
			if ok && n >= 400 && n <= 599 {
				return int(n), true
			}
		}
	}
	return 0, false
}

// nearestStatus puts a code in words into a status.
func nearestStatus(code string) int {
	code = strings.ToLower(code)
	for _, known := range []struct {
		word   string
		status int
	}{
		{"rate_limit", http.StatusTooManyRequests},
		{"insufficient_quota", http.StatusTooManyRequests},
		{"too_many", http.StatusTooManyRequests},
		{"overloaded", http.StatusServiceUnavailable},
		{"unavailable", http.StatusServiceUnavailable},
		{"timeout", http.StatusGatewayTimeout},
		{"context_length", http.StatusBadRequest},
		{"content_policy", http.StatusBadRequest},
		{"invalid_request", http.StatusBadRequest},
		{"badrequest", http.StatusBadRequest},
		{"authentication", http.StatusUnauthorized},
		{"invalid_api_key", http.StatusUnauthorized},
		{"permission", http.StatusForbidden},
		{"not_found", http.StatusNotFound},
		{"billing", http.StatusPaymentRequired},
		{"too_large", http.StatusRequestEntityTooLarge},
	} {
		if strings.Contains(code, known.word) {
			return known.status
		}
	}
	return http.StatusBadGateway
}

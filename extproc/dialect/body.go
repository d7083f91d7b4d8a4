package dialect

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// Object returns a request's body without the space around it, if it is strictly a
// JSON object. The error is an *Error of status 400 that names the place where the
// body stops being JSON (spec row 13).
func Object(body []byte) ([]byte, error) {
	document, err := Document(body)
	if err != nil {
		return nil, err
	}
	return document.Text, nil
}

// Document is [Object] for those who walk all of the body.
func Document(body []byte) (*rawjson.Document, error) {
	document, err := rawjson.Read(body)
	switch {
	case len(document.Text) == 0:
		return nil, Invalid("The request body is empty; send a JSON object.")
	case err != nil:
		return nil, malformed(err, len(body))
	case rawjson.Kind(document.Text) != '{':
		return nil, Invalid("The request body must be a JSON object.")
	}
	return document, nil
}

func malformed(err error, size int) *Error {
	offset, reason := int64(size), "it ends too early"
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		offset = syntax.ByteOffset
		reason = syntax.Err.Error()
		if errors.Is(err, jsontext.ErrDuplicateName) && syntax.JSONPointer != "" {
			reason = fmt.Sprintf("duplicate member %q", syntax.JSONPointer.LastToken())
		}
	}
	failure := Invalid("The request body is not valid JSON: %s at byte offset %d.", reason, offset)
	failure.Metadata = map[string]any{"offset": offset}
	return failure
}

// OutOfRange is an error about a number of the client's that is not from least to most. A
// bound that only keeps numbers from being absurd, such as 2^40 tokens, is not told to who is
// below the other: absurd is that bound, zero if most means what it says.
func OutOfRange(name string, number, least, most, absurd float64) *Error {
	if number < least && most == absurd {
		return Invalid("'%s' must be at least %s.", name, plain(least))
	}
	return Invalid("'%s' must be between %s and %s.", name, plain(least), plain(most))
}

// plain is a number without an exponent.
func plain(number float64) string { return strconv.FormatFloat(number, 'f', -1, 64) }

// Invalid is an error about the client's request.
func Invalid(message string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Type: "invalid_request", Message: fmt.Sprintf(message, args...)}
}

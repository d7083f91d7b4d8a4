package gemini

import (
	"bytes"
	"encoding/base64"
	"strings"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// A part has one field for a proof, thoughtSignature, which SDKs decode from base64 and
// encode again in the alphabet of their choice. The API's own signatures travel as they
// are. Another maker's proof is sealed in there with what else its maker needs, so that
// a conversation can go on with any provider (known-failures 35).

// sealPrefix begins the bytes of a signature that holds another maker's proof.
const sealPrefix = "switchyard.reasoning:"

// sealStart is how such a signature begins in base64, whatever its alphabet: the prefix
// is of whole groups of three bytes, and makes no character that alphabets differ in.
var sealStart = base64.StdEncoding.EncodeToString([]byte(sealPrefix))

func isSealed(signature []byte) bool { return bytes.HasPrefix(signature, []byte(sealStart)) }

// proof is what stands for a detail's signature or data in a part: the API's own as it
// is, others sealed, "" if there is nothing to prove.
func proof(detail *dialect.ReasoningDetail) string {
	if own(detail) {
		return detail.Signature + detail.Data
	}
	sealed := dialect.SealThought(detail)
	if sealed == nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(append([]byte(sealPrefix), sealed...))
}

// own reports whether a detail's proof is a signature of the API. What is no base64
// would be refused by SDKs.
func own(detail *dialect.ReasoningDetail) bool {
	if detail.Format != dialect.FormatGemini || detail.Type == dialect.ReasoningSummary {
		return false
	}
	_, err := base64.StdEncoding.DecodeString(detail.Signature + detail.Data)
	return err == nil
}

// unseal reads a signature that holds another maker's proof; nil is one of the API's
// own, or one that a client has changed.
func unseal(signature string) *dialect.ReasoningDetail {
	if !strings.HasPrefix(signature, sealStart) {
		return nil
	}
	text, err := base64.StdEncoding.DecodeString(standardBase64(signature))
	if err != nil {
		return nil
	}
	detail, ok := dialect.UnsealThought(text[len(sealPrefix):])
	if !ok {
		return nil
	}
	return &detail
}

// urlSafe are the bytes that the alphabet for URLs has in place of the standard ones.
var urlSafe = strings.NewReplacer("-", "+", "_", "/")

// standardBase64 puts base64 into the standard alphabet with its padding: protocol
// buffers take either, and Google's SDKs send that for URLs.
func standardBase64(text string) string {
	text = urlSafe.Replace(text)
	if over := len(text) % 4; over > 1 {
		text += "=="[over-2:]
	}
	return text
}

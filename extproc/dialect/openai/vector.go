package openai

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"strconv"

	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// A vector travels as an array of numbers, or as a string: the base64 of its 32-bit
// floats, little-endian. OpenAI's SDKs ask for the shorter string unless told otherwise,
// whoever the provider is, and many providers know arrays only. A client that asked for
// one form need not read the other.

// appendBase64Vector appends an array of numbers as a string. What is no number in it
// counts as zero.
func appendBase64Vector(dst, array []byte) []byte {
	floats := make([]byte, 0, len(array)/2)
	for c := rawjson.Walk(array); c.Next(); {
		number, _ := rawjson.Float(c.Value)
		floats = binary.LittleEndian.AppendUint32(floats, math.Float32bits(float32(number)))
	}
	dst = base64.StdEncoding.AppendEncode(append(dst, '"'), floats)
	return append(dst, '"')
}

// appendNumberVector appends a string as an array of numbers, unless it is no vector:
// broken base64, part of a float, or a float that JSON has no number for.
func appendNumberVector(dst, text []byte) ([]byte, bool) {
	floats, err := base64.StdEncoding.AppendDecode(nil, rawjson.Unquote(text))
	if err != nil || len(floats) == 0 || len(floats)%4 != 0 {
		return dst, false
	}
	dst = append(dst, '[')
	for at := 0; at < len(floats); at += 4 {
		number := float64(math.Float32frombits(binary.LittleEndian.Uint32(floats[at:])))
		if math.IsNaN(number) || math.IsInf(number, 0) {
			return dst, false
		}
		dst = strconv.AppendFloat(rawjson.Comma(dst), number, 'g', -1, 32)
	}
	return append(dst, ']'), true
}

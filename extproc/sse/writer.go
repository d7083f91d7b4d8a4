package sse

import "bytes"

// AppendData appends an event that has no name. Data that spans lines becomes
// several data lines, which a reader joins again.
func AppendData(dst, data []byte) []byte {
	dst = append(dst, "data: "...)
	for {
		end := bytes.IndexAny(data, "\r\n")
		if end < 0 {
			break
		}
		dst = append(dst, data[:end]...)
		dst = append(dst, "\ndata: "...)
		if bytes.HasPrefix(data[end:], []byte("\r\n")) {
			end++
		}
		data = data[end+1:]
	}
	dst = append(dst, data...)
	return append(dst, "\n\n"...)
}

// AppendEvent appends an event with a name, which must be a single line.
func AppendEvent(dst []byte, name string, data []byte) []byte {
	dst = append(dst, "event: "...)
	dst = append(dst, name...)
	dst = append(dst, '\n')
	return AppendData(dst, data)
}

// AppendComment appends a comment, which readers skip; text must be a single line.
func AppendComment(dst []byte, text string) []byte {
	dst = append(dst, ": "...)
	dst = append(dst, text...)
	return append(dst, "\n\n"...)
}

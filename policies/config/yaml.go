package config

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxFileSize bounds a configuration, in bytes. A thousand models with prices
// are about 300 kB.
const maxFileSize = 4 << 20

// syntaxError is what the YAML parser's errors look like. They have no type.
var syntaxError = regexp.MustCompile(`^yaml: (?:line (\d+): )?(?s:(.*))$`)

// readDocument parses the file's only YAML document. It returns nil for a file
// of nothing but comments, and after an error, which it reports.
func readDocument(r *report, data []byte) *yaml.Node {
	switch {
	case len(data) == 0:
		// Not the same as a file of comments: a file that is being written is
		// empty for a moment, and must not switch everything off.
		r.fail(nil, "the file is empty; write at least a comment to run on defaults")
		return nil
	case len(data) > maxFileSize:
		r.fail(nil, "the file has %d bytes; at most %d are read", len(data), maxFileSize)
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return nil
	} else if err != nil {
		reportSyntax(r, data, err)
		return nil
	}
	if err := decoder.Decode(&second); err == nil {
		r.failAt(positionOf(&second), nil, "a second document begins here; a configuration is one document")
		return nil
	} else if !errors.Is(err, io.EOF) {
		reportSyntax(r, data, err)
		return nil
	}
	return document.Content[0]
}

// reportSyntax places an error of the YAML parser, which knows the line at
// best. Tabs get words of their own, because theirs is the mistake that the
// parser explains worst.
func reportSyntax(r *report, data []byte, err error) {
	if reportTabs(r, data) {
		return
	}
	where, text := position{line: 1, column: 1}, err.Error()
	if match := syntaxError.FindStringSubmatch(text); match != nil {
		text = match[2]
		if line, err := strconv.Atoi(match[1]); err == nil && line > 0 {
			where.line = line
		}
	}
	if lines := strings.Split(string(data), "\n"); where.line <= len(lines) {
		line := lines[where.line-1]
		where.column += len(line) - len(strings.TrimLeft(line, " "))
	}
	r.failAt(where, nil, "not YAML: %s", text)
}

// reportTabs reports the lines that are indented with tabs.
func reportTabs(r *report, data []byte) bool {
	found := false
	for number, line := range strings.Split(string(data), "\n") {
		indentation := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
		if tab := strings.IndexByte(indentation, '\t'); tab >= 0 && len(indentation) < len(line) {
			r.failAt(position{line: number + 1, column: tab + 1}, nil, "YAML is not indented with tabs; use spaces")
			found = true
		}
	}
	return found
}

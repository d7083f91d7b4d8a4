package config

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// readDocument parses the file's only YAML document, of so many bytes at most. It
// returns nil for a file of nothing but comments, and after an error, which it
// reports.
func readDocument(r *report, data []byte, most int) *yaml.Node {
	switch {
	case len(data) == 0:
		// Not the same as a file of comments: a file that is being written is
		// empty for a moment, and must not switch everything off.
		r.fail(nil, "the file is empty; write at least a comment to run on defaults")
		return nil
	case len(data) > most:
		r.fail(nil, "the file has %d bytes; at most %d are read", len(data), most)
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

// reportSyntax reports an error of the YAML parser. Tabs get words of their own,
// because theirs is the mistake that the parser explains worst.
func reportSyntax(r *report, data []byte, err error) {
	if reportTabs(r, data) {
		return
	}
	// The parser's own line is that of the construct, or off by one, or missing.
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		_, text, _ = strings.Cut(rest, ": ")
	}
	if len(data) > configurationBounds.bytes {
		r.failAt(position{}, nil, "not YAML: %s", strings.TrimPrefix(err.Error(), "yaml: ")) // too long to be parsed once more for each guess
		return
	}
	lines := bytes.SplitAfter(data, []byte("\n"))
	number := faultyLine(lines)
	line := lines[number-1]
	indentation := len(line) - len(bytes.TrimLeft(line, " "))
	r.failAt(position{line: number, column: indentation + 1}, nil, "not YAML: %s", text)
}

// faultyLine finds the line, counted from 1, from which on the file is not
// YAML: the one after the last line at which the file could have ended.
func faultyLine(lines [][]byte) int {
	isYAML := func(count int) bool {
		decoder := yaml.NewDecoder(bytes.NewReader(bytes.Join(lines[:count], nil)))
		for {
			var document yaml.Node
			if err := decoder.Decode(&document); err != nil {
				return errors.Is(err, io.EOF)
			}
		}
	}
	good := 0
	for range maxDetours {
		bad := len(lines)
		for bad-good > 1 {
			if middle := (good + bad) / 2; isYAML(middle) {
				good = middle
			} else {
				bad = middle
			}
		}
		// Not the mistake, but a list or text over several lines that is cut off?
		detour := good
		for count := good + 2; count <= min(good+maxDetour, len(lines)); count++ {
			if isYAML(count) {
				detour = count
				break
			}
		}
		if detour == good {
			break
		}
		good = detour
	}
	return min(good+1, len(lines))
}

// What faultyLine takes for one value over several lines, and how often.
const (
	maxDetour  = 40
	maxDetours = 20
)

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

package journal

import (
	"bufio"
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/policies/usage"
)

// A line is the CRC-32C of what follows it, in eight hex digits, the kind of the note
// and the generation as JSON, apart by one space each.
const (
	kindNote   = 'n'
	kindSettle = 's'

	prefixLength = len("01234567 s ")
	// largestLine bounds what is read of a file that is none of ours.
	largestLine = 1 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func encode(kind byte, g *usage.Generation) ([]byte, error) {
	line := bytes.NewBuffer(make([]byte, 0, 1<<10))
	fmt.Fprintf(line, "%08x %c ", 0, kind)
	if err := json.MarshalWrite(line, g, jsontext.AllowInvalidUTF8(true)); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	whole := line.Bytes()
	copy(whole, fmt.Appendf(nil, "%08x", crc32.Checksum(whole[9:], castagnoli)))
	if len(whole) >= largestLine {
		return nil, fmt.Errorf("journal: a generation of %d bytes is too large", len(whole))
	}
	return append(whole, '\n'), nil
}

// decode reads a line without its end.
func decode(line []byte) (kind byte, g *usage.Generation, err error) {
	if len(line) < prefixLength {
		return 0, nil, io.ErrUnexpectedEOF
	}
	sum, err := strconv.ParseUint(string(line[:8]), 16, 32)
	if err != nil || uint32(sum) != crc32.Checksum(line[9:], castagnoli) {
		return 0, nil, fmt.Errorf("journal: the checksum of a line does not match")
	}
	g = &usage.Generation{}
	if err := json.Unmarshal(line[prefixLength:], g); err != nil {
		return 0, nil, fmt.Errorf("journal: %w", err)
	}
	return line[9], g, nil
}

// lines calls each for every line between two offsets, with what it holds, until each
// says no. It returns where it stopped, which is short of end where the rest is no whole
// line, and how many lines cannot be read, each of which it passes. The error is the
// disk's.
func (s *segment) lines(from, end int64, each func(kind byte, g *usage.Generation) bool) (stopped int64, unreadable int, err error) {
	reader := bufio.NewReaderSize(io.NewSectionReader(s.file, from, end-from), 64<<10)
	for {
		line, length, err := readLine(reader)
		if err == io.EOF {
			return from, unreadable, nil
		}
		if err != nil {
			return from, unreadable, err
		}
		if kind, g, err := decode(line); err != nil {
			unreadable++
		} else if !each(kind, g) {
			return from, unreadable, nil
		}
		from += length
	}
}

// readLine returns a line without its end, and its length with it. Of one that is too
// long to be one of ours, nothing is kept. The error is io.EOF where none is left, or
// one that lacks its end: its writer was killed.
func readLine(reader *bufio.Reader) (line []byte, length int64, err error) {
	for {
		piece, err := reader.ReadSlice('\n')
		length += int64(len(piece))
		if length <= largestLine {
			line = append(line, piece...)
		} else {
			line = nil
		}
		if err == nil {
			return bytes.TrimSuffix(line, []byte{'\n'}), length, nil
		}
		if err != bufio.ErrBufferFull {
			return nil, 0, err
		}
	}
}

func attemptKey(id string, attempt *usage.Attempt) string {
	return id + "/" + strconv.Itoa(attempt.Number)
}

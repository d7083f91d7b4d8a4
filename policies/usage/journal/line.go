package journal

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/go-json-experiment/json"

	"github.com/switchyard/switchyard/policies/usage"
)

// A line is the CRC-32C of what follows it, in eight hex digits, the kind of the note
// and the generation as JSON, apart by one space each.
const (
	kindNote   = 'n'
	kindSettle = 's'

	prefix    = "01234567 s "
	checkedAt = len("01234567 ") // where the kind is
	usualLine = 1024
	// largestLine bounds what is read of a file that is none of ours.
	largestLine = 1 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func encode(kind byte, g *usage.Generation) ([]byte, error) {
	line, err := g.AppendJSON(append(make([]byte, 0, usualLine), prefix...))
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	line[checkedAt] = kind
	hex.Encode(line, binary.BigEndian.AppendUint32(nil, crc32.Checksum(line[checkedAt:], castagnoli)))
	if len(line) >= largestLine {
		return nil, fmt.Errorf("journal: a generation of %d bytes is too large", len(line))
	}
	return append(line, '\n'), nil
}

// check returns the kind of a line without its end, and the generation as it is written.
func check(line []byte) (kind byte, written []byte, err error) {
	if len(line) < len(prefix) {
		return 0, nil, io.ErrUnexpectedEOF
	}
	var sum [crc32.Size]byte
	if _, err := hex.Decode(sum[:], line[:hex.EncodedLen(len(sum))]); err != nil || binary.BigEndian.Uint32(sum[:]) != crc32.Checksum(line[checkedAt:], castagnoli) {
		return 0, nil, errors.New("journal: the checksum of a line does not match")
	}
	switch kind := line[checkedAt]; kind {
	case kindNote, kindSettle:
		return kind, line[len(prefix):], nil
	default:
		return 0, nil, fmt.Errorf("journal: a line of the unknown kind %q", kind)
	}
}

func decode(written []byte) (*usage.Generation, error) {
	g := &usage.Generation{}
	if err := json.Unmarshal(written, g); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	return g, nil
}

// lines calls each for every line between two offsets, with what it holds, until each
// says no; it passes those that each finds unreadable, too. It returns where it stopped,
// which is short of end where the rest is no whole line, and how many lines cannot be
// read. The error is the disk's.
func (s *segment) lines(from, end int64, each func(kind byte, written []byte) (more bool, err error)) (stopped int64, unreadable int, err error) {
	if from >= end {
		return from, 0, nil
	}
	reader := bufio.NewReaderSize(io.NewSectionReader(s.file, from, end-from), int(min(end-from, 64<<10)))
	for {
		line, length, err := readLine(reader)
		if err == io.EOF {
			return from, unreadable, nil
		}
		if err != nil {
			return from, unreadable, err
		}
		more := true
		kind, written, err := check(line)
		if err == nil {
			more, err = each(kind, written)
		}
		if err != nil {
			unreadable++
		} else if !more {
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

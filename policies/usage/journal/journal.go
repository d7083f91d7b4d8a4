// Package journal keeps generations on local disk until the ledger has them.
//
// A provider is asked only after the journal has noted the attempt, and what it came
// to is noted when it ends. Whatever then happens to the database, to the network or
// to the process, each generation is told to the ledger at least once, and by its id
// the ledger keeps it once. An attempt that was noted and never ended, because the
// process was killed, is told as an estimate.
//
// Notes are written with one write(2) each and not synced: they outlive the process,
// also one that is killed, but not a machine that loses power within the seconds that
// the kernel keeps them. That is the price of asking for no disk on the request path.
package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/switchyard/switchyard/policies/usage"
)

// ErrFull: the ledger has taken nothing for so long that the journal has reached its
// bound. A request that cannot be accounted for is not to be served.
var ErrFull = errors.New("journal: the disk space for generations that the ledger has not taken yet is used up")

// Options bound a journal. Zero fields have defaults.
type Options struct {
	// SegmentBytes is the size at which a new file is begun. Default 8 MiB, or an eighth of
	// MaxBytes if that is less: the newest file is never deleted.
	SegmentBytes int64
	// MaxBytes bounds all files together. Default 1 GiB.
	MaxBytes int64
}

// Journal is a number of segments, files to which lines are only ever added. All
// methods may be called concurrently.
//
// Each process has a directory of its own below the one that is given, since at a
// restart the old process finishes its streams beside the new one. What a process
// leaves behind, whoever starts next takes over.
type Journal struct {
	options Options
	own     *directory
	notify  chan struct{}

	mu       sync.Mutex
	bytes    int64                // the sizes of all segments
	refused  int64                // size of the last note that there was no room for
	segments []*segment           // the last one is written to
	latest   int                  // number of the last segment
	open     map[attempt]openNote // those that are under way
	failed   error                // the journal can take no more
	damage   error

	remembered      []remembered
	rememberedBytes int
	settled         Mark // nothing behind it is
}

// segment is one file.
type segment struct {
	number    int // in the order of reading, from 1
	directory *directory
	file      *os.File
	size      int64 // of what is written and whole
	live      int64 // of size, what tells of attempts that are under way
	damaged   bool  // something in it cannot be read
}

// attempt is one at a generation.
type attempt struct {
	generation string
	number     int
}

// openNote is the last note of an attempt under way, and where it is.
type openNote struct {
	line    []byte
	segment *segment
}

// Open opens a journal below a directory, which is made if there is none. What an
// earlier process left unfinished becomes an estimate, lost tells of how many.
func Open(parent string, options Options) (j *Journal, lost int, err error) {
	if options.MaxBytes == 0 {
		options.MaxBytes = 1 << 30
	}
	if options.SegmentBytes == 0 {
		options.SegmentBytes = min(8<<20, options.MaxBytes/8)
	}
	left, err := abandoned(parent)
	if err != nil {
		return nil, 0, err
	}
	own, err := newDirectory(parent)
	if err != nil {
		return nil, 0, err
	}
	j = &Journal{options: options, own: own, notify: make(chan struct{}, 1), open: make(map[attempt]openNote)}
	if lost, err = j.recover(left); err != nil {
		return nil, 0, errors.Join(err, j.Close())
	}
	return j, lost, nil
}

// Close lets another process take over what the ledger has not taken.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.failed = os.ErrClosed
	errs := []error{j.own.release()}
	for _, s := range j.segments {
		errs = append(errs, s.file.Close())
		if s.directory != j.own {
			errs = append(errs, s.directory.release())
		}
	}
	j.segments = nil
	return errors.Join(errs...)
}

// Note keeps what is known of an attempt so far, the only one in g: before its provider
// is asked, and again when more is known. If the process is killed, the last note
// counts. The error is [ErrFull], or of the disk; a provider must then not be asked. It
// costs some microseconds, most of them the write.
func (j *Journal) Note(g *usage.Generation) error {
	line, err := encode(kindNote, g)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.bytes+int64(len(line)) > j.options.MaxBytes {
		j.refused = int64(len(line))
		return ErrFull
	}
	return j.keep(attempt{g.ID, g.Attempts[0].Number}, line)
}

// keep writes a note and remembers it as the last one of its attempt.
func (j *Journal) keep(of attempt, line []byte) error {
	if err := j.append(line); err != nil {
		return err
	}
	j.close(of)
	last := j.segments[len(j.segments)-1]
	last.live += int64(len(line))
	j.open[of] = openNote{line, last}
	return nil
}

// close forgets the last note of an attempt.
func (j *Journal) close(of attempt) {
	if note, ok := j.open[of]; ok {
		note.segment.live -= int64(len(note.line))
		delete(j.open, of)
	}
}

// Settle notes what all attempts at a request came to. It is final. A generation that
// cannot be written is lost, and the error says so: there is room for it beyond
// MaxBytes, so that this takes a full or broken disk. What was said is left out when the
// journal is half full: no request is to be refused for want of that room.
func (j *Journal) Settle(g *usage.Generation) error {
	line, err := encode(kindSettle, g)
	if g.Content != nil && (err != nil || j.Bytes()+int64(len(line)) > j.options.MaxBytes/2) {
		bare := *g
		bare.Content = nil
		g = &bare
		line, err = encode(kindSettle, g)
	}
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := range g.Attempts {
		j.close(attempt{g.ID, g.Attempts[i].Number})
	}
	if err := j.append(line); err != nil {
		return err
	}
	j.remember(g, len(line))
	select {
	case j.notify <- struct{}{}:
	default:
	}
	return nil
}

// Settled is signalled when there may be something to [Journal.Read].
func (j *Journal) Settled() <-chan struct{} { return j.notify }

// Bytes is the size of what is on disk.
func (j *Journal) Bytes() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.bytes
}

// Full reports whether a request was refused for want of room, and would be still.
func (j *Journal) Full() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.refused > 0 && j.bytes+j.refused > j.options.MaxBytes
}

// append adds a line to the last segment, or to a new one. A line that is written in
// part is taken back: what follows it must be readable.
func (j *Journal) append(line []byte) error {
	if j.failed != nil {
		return j.failed
	}
	last := j.segments[len(j.segments)-1]
	if last.size > 0 && last.size+int64(len(line)) > j.options.SegmentBytes {
		next, err := j.create()
		if err != nil {
			return err
		}
		j.segments = append(j.segments, next)
		last = next
	}
	if err := last.append(line); err != nil {
		return err
	}
	j.bytes += int64(len(line))
	return nil
}

func (s *segment) append(line []byte) error {
	if n, err := s.file.WriteAt(line, s.size); err != nil {
		if n > 0 {
			err = errors.Join(err, s.file.Truncate(s.size))
		}
		return err
	}
	s.size += int64(len(line))
	return nil
}

// create makes a segment in the process's own directory.
func (j *Journal) create() (*segment, error) {
	j.latest++
	name := filepath.Join(j.own.path, fmt.Sprintf("%012d%s", j.latest, suffix))
	file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	return &segment{number: j.latest, directory: j.own, file: file}, nil
}

// remove deletes the file, or puts it aside under the parent directory if something
// in it could not be read: a person may still make something of it.
func (s *segment) remove() error {
	err := s.file.Close()
	if s.damaged {
		aside := filepath.Join(filepath.Dir(s.directory.path), "damaged-"+filepath.Base(s.directory.path)+"-"+filepath.Base(s.file.Name()))
		return errors.Join(err, os.Rename(s.file.Name(), aside))
	}
	return errors.Join(err, os.Remove(s.file.Name()))
}

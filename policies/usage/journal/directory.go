package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// directory is where one process writes its segments. It is locked while the process
// lives, and no longer.
type directory struct {
	path string
	lock *os.File // nil once it is released
}

const (
	lockName = "lock"
	suffix   = ".journal"
)

// newDirectory makes a directory that no other process has.
func newDirectory(parent string) (*directory, error) {
	// Nobody takes over a directory that is not locked yet: only under its final
	// name is it one of the journal's.
	path, err := os.MkdirTemp(parent, "new-")
	if err != nil {
		return nil, err
	}
	d := &directory{path: path}
	if _, err := d.take(); err != nil {
		return nil, err
	}
	final := filepath.Join(parent, "process-"+strings.TrimPrefix(filepath.Base(path), "new-"))
	if err := os.Rename(path, final); err != nil {
		return nil, errors.Join(err, d.release())
	}
	d.path = final
	return d, nil
}

// abandoned locks the directories of processes that have ended.
func abandoned(parent string) ([]*directory, error) {
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return nil, err
	}
	paths, err := filepath.Glob(filepath.Join(parent, "process-*"))
	if err != nil {
		return nil, err
	}
	var left []*directory
	for _, path := range paths {
		d := &directory{path: path}
		if free, err := d.take(); err != nil {
			return nil, err
		} else if free {
			left = append(left, d)
		}
	}
	return left, nil
}

// take locks the directory, and reports false if another process has it.
func (d *directory) take() (bool, error) {
	lock, err := os.OpenFile(filepath.Join(d.path, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil // another process has just done with it
	}
	if err != nil {
		return false, err
	}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return false, lock.Close()
	case err != nil:
		return false, errors.Join(fmt.Errorf("journal: lock %s: %w", d.path, err), lock.Close())
	}
	d.lock = lock
	return true, nil
}

// release unlocks the directory.
func (d *directory) release() error {
	if d.lock == nil {
		return nil
	}
	defer func() { d.lock = nil }()
	return d.lock.Close()
}

// remove deletes the directory, which has no segments any more.
func (d *directory) remove() error {
	return errors.Join(os.Remove(filepath.Join(d.path, lockName)), os.Remove(d.path), d.release())
}

// segments opens the files of the directory, the oldest first.
func (d *directory) segments() ([]*segment, error) {
	names, err := filepath.Glob(filepath.Join(d.path, "*"+suffix))
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var found []*segment
	for _, name := range names {
		file, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			return nil, err
		}
		found = append(found, &segment{directory: d, file: file})
	}
	return found, nil
}

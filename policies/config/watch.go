package config

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// quiet is how long the files must not change before they are read: one save
	// of an editor is several changes.
	quiet = 100 * time.Millisecond
	// longest bounds the wait for quiet.
	longest = 2 * time.Second
)

// Watch reloads the configuration when its file or a file that it names
// changes, until the context ends. It returns an error only if the files cannot
// be watched at all.
//
// What is watched is the directories, because a file is seldom written in
// place: editors rename another one over it, and Kubernetes swaps a symbolic
// link called ..data some levels up.
func (s *Store) Watch(ctx context.Context) error {
	if s.path == "" {
		<-ctx.Done()
		return nil
	}
	notifier, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch %s: %w", s.path, err)
	}
	defer notifier.Close()
	watched := s.watchedNames()
	for _, directory := range directories(watched) {
		if err := notifier.Add(directory); err != nil {
			return fmt.Errorf("watch %s: %w", directory, err)
		}
	}
	isWatched := func(name string) bool {
		return slices.Contains(watched, filepath.Clean(name)) || filepath.Base(name) == "..data"
	}
	reload := func() {
		_ = s.Reload() // logged and kept in State
		watched = s.watchedNames()
		s.moveWatches(notifier, directories(watched))
	}
	reload() // for what changed between Open and here
	debounce(ctx, notifier.Events, notifier.Errors, isWatched, reload)
	return nil
}

// moveWatches watches exactly the given directories. One that has vanished is
// seen again when the configuration is next reloaded.
func (s *Store) moveWatches(notifier *fsnotify.Watcher, wanted []string) {
	for _, directory := range wanted {
		// Adding a directory twice is no mistake, and finds one that was replaced.
		if err := notifier.Add(directory); err != nil {
			s.logger.Warn("directory is not watched", "path", directory, "error", err)
		}
	}
	for _, directory := range notifier.WatchList() {
		if !slices.Contains(wanted, directory) {
			_ = notifier.Remove(directory) // it may be gone already
		}
	}
}

// watchedNames are the files that matter, and what they are links to.
func (s *Store) watchedNames() []string {
	names := append([]string{s.path}, s.Current().files...)
	for i, name := range names {
		names[i] = filepath.Clean(name)
		if target, err := filepath.EvalSymlinks(name); err == nil {
			names = append(names, target)
		}
	}
	return names
}

func directories(names []string) []string {
	var all []string
	for _, name := range names {
		all = append(all, filepath.Dir(name))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// debounce calls reload once for each burst of changes that matter, when it is
// over, until the context ends. An error of the notifier may hide changes, and
// counts as one.
func debounce(ctx context.Context, events <-chan fsnotify.Event, failures <-chan error, matters func(name string) bool, reload func()) {
	// Nil channels while there is nothing to wait for.
	var pause, end <-chan time.Time
	for {
		changed := false
		select {
		case <-ctx.Done():
			return
		case event := <-events:
			changed = matters(event.Name)
		case <-failures:
			changed = true
		case <-pause:
			pause, end = nil, nil
			reload()
		case <-end:
			pause, end = nil, nil
			reload()
		}
		if changed {
			pause = time.After(quiet)
			if end == nil {
				end = time.After(longest)
			}
		}
	}
}

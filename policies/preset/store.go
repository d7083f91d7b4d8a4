package preset

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

const (
	// maxVersions of one preset are kept; the oldest goes first.
	maxVersions = 20
	// maxBytes bounds what one owner creates, as it is written: whoever has a key
	// can create presets, and each writes the file anew.
	maxBytes = 1 << 20
)

// Why a preset is not created, or not deleted.
var (
	// ErrReadOnly: the preset is the configuration's.
	ErrReadOnly = errors.New("is set in the gateway's configuration and can be changed only there; choose another slug")
	// ErrSlug: nothing can be called that.
	ErrSlug = errors.New("must be a slug of up to 63 lower-case letters, digits and dashes")
	// ErrFull: there is no room for more.
	ErrFull = fmt.Errorf("is too much: the presets that a key creates take at most %d bytes together; delete some", maxBytes)
	// ErrNone: there is no such preset.
	ErrNone = errors.New("not found")
)

// Store holds presets: those of the configuration, which everybody sees, and those
// that clients created, each of which its owner alone sees. An owner is named by the
// hash of a key, or by "" at a gateway without keys.
//
// All its methods may be called from any goroutine, and reading a preset never waits
// for another that is written.
type Store struct {
	file string
	// writing is held while the presets change.
	writing sync.Mutex
	current atomic.Pointer[presets]
}

// presets are all there are at one time. They are replaced, not changed.
type presets struct {
	configured map[string]Preset
	created    map[string]owned // by owner
}

// owned are the versions of each preset that one owner created, by slug, the oldest
// first.
type owned map[string][]Preset

// Open reads the presets that clients created from a file, and will keep those to
// come in it. A file that does not exist is empty; one that cannot be understood
// is an error, not overwritten.
func Open(file string) (*Store, error) {
	created, err := read(file)
	if err != nil {
		return nil, err
	}
	s := &Store{file: file}
	s.current.Store(&presets{created: created})
	return s, nil
}

// Configure replaces the presets of the configuration. They hide those of the same
// slug that clients created.
func (s *Store) Configure(cfg *configpb.Config) error {
	configured, err := FromConfig(cfg)
	if err != nil {
		return err
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	s.current.Store(&presets{configured, s.current.Load().created})
	return nil
}

// Get returns the newest version of a preset as its owner sees it. It costs three
// look-ups.
func (s *Store) Get(owner, slug string) (Preset, bool) {
	now := s.current.Load()
	if preset, ok := now.configured[slug]; ok {
		return preset, true
	}
	if versions := now.created[owner][slug]; len(versions) > 0 {
		return versions[len(versions)-1], true
	}
	return Preset{}, false
}

// Versions returns the versions of a preset that are kept, the newest first. There
// are none if there is no such preset.
func (s *Store) Versions(owner, slug string) []Preset {
	now := s.current.Load()
	if preset, ok := now.configured[slug]; ok {
		return []Preset{preset}
	}
	versions := slices.Clone(now.created[owner][slug])
	slices.Reverse(versions)
	return versions
}

// List returns the newest version of each preset that an owner sees, by slug.
func (s *Store) List(owner string) []Preset {
	now := s.current.Load()
	newest := maps.Clone(now.configured)
	if newest == nil {
		newest = map[string]Preset{}
	}
	for slug, versions := range now.created[owner] {
		if _, hidden := newest[slug]; !hidden {
			newest[slug] = versions[len(versions)-1]
		}
	}
	return slices.SortedFunc(maps.Values(newest), func(a, b Preset) int { return strings.Compare(a.Slug, b.Slug) })
}

// Put creates a preset of an owner, or a new version of it, which is then the newest.
// config is a JSON object and is not kept. The error is, or wraps, one of the above,
// or says why the file was not written; then nothing changed.
func (s *Store) Put(owner, slug string, config jsontext.Value, systemPrompt string) (Preset, error) {
	if !slugs.MatchString(slug) {
		return Preset{}, ErrSlug
	}
	if config.Kind() != '{' {
		return Preset{}, errors.New("preset: config is no JSON object")
	}
	next := Preset{Slug: slug, Version: 1, Config: config.Clone(), SystemPrompt: systemPrompt}
	err := s.change(owner, slug, func(versions []Preset) ([]Preset, error) {
		if len(versions) > 0 {
			next.Version = versions[len(versions)-1].Version + 1
		}
		return append(slices.Clone(versions[max(0, len(versions)-maxVersions+1):]), next), nil
	})
	if err != nil {
		return Preset{}, err
	}
	return next, nil
}

// Delete removes a preset of an owner with all its versions. Its errors are those of
// [Store.Put].
func (s *Store) Delete(owner, slug string) error {
	return s.change(owner, slug, func(versions []Preset) ([]Preset, error) {
		if len(versions) == 0 {
			return nil, ErrNone
		}
		return nil, nil
	})
}

// change replaces the versions of a preset, with none to remove it. What changed is
// on disk before anybody sees it.
func (s *Store) change(owner, slug string, edit func([]Preset) ([]Preset, error)) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	now := s.current.Load()
	if _, ok := now.configured[slug]; ok {
		return ErrReadOnly
	}
	versions, err := edit(now.created[owner][slug])
	if err != nil {
		return err
	}
	own := maps.Clone(now.created[owner])
	if own == nil {
		own = owned{}
	}
	own[slug] = versions
	created := maps.Clone(now.created)
	created[owner] = own
	if len(versions) == 0 {
		delete(own, slug)
	} else if err := fits(own); err != nil {
		return err
	}
	if len(own) == 0 {
		delete(created, owner)
	}
	if err := write(s.file, created); err != nil {
		return err
	}
	s.current.Store(&presets{now.configured, created})
	return nil
}

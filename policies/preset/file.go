package preset

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// stored is the file of created presets: by owner and slug.
type stored struct {
	Owners map[string]storedPresets `json:"owners"`
}

// storedPresets are the versions of each slug, the oldest first.
type storedPresets map[string][]storedVersion

type storedVersion struct {
	Version      int            `json:"version"`
	Config       jsontext.Value `json:"config"`
	SystemPrompt string         `json:"system_prompt,omitzero"`
}

func read(file string) (map[string]owned, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]owned{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("presets: %w", err)
	}
	created, err := decode(text)
	if err != nil {
		return nil, fmt.Errorf("presets: %s: %w; mend the file or move it away", file, err)
	}
	return created, nil
}

func decode(text []byte) (map[string]owned, error) {
	var from stored
	if err := json.Unmarshal(text, &from, json.RejectUnknownMembers(true)); err != nil {
		return nil, err
	}
	created := make(map[string]owned, len(from.Owners))
	for owner, presets := range from.Owners {
		own, err := presets.decode()
		if err != nil {
			return nil, fmt.Errorf("owners[%q]%w", owner, err)
		}
		if len(own) > 0 {
			created[owner] = own
		}
	}
	return created, nil
}

// decode reads one owner's presets. Its errors go on from the owner's path.
func (from storedPresets) decode() (owned, error) {
	own := make(owned, len(from))
	for slug, versions := range from {
		if !slugs.MatchString(slug) || len(versions) == 0 {
			return nil, fmt.Errorf("[%q] is no preset", slug)
		}
		before := 0
		for i, version := range versions {
			if version.Version <= before || version.Config.Kind() != '{' {
				return nil, fmt.Errorf("[%q][%d] has no config, or no version above the one before", slug, i)
			}
			before = version.Version
			own[slug] = append(own[slug], Preset{
				Slug: slug, Version: version.Version, Config: version.Config, SystemPrompt: version.SystemPrompt,
			})
		}
	}
	return own, nil
}

func encode(created map[string]owned) ([]byte, error) {
	to := stored{Owners: make(map[string]storedPresets, len(created))}
	for owner, own := range created {
		to.Owners[owner] = own.stored()
	}
	text, err := json.Marshal(to, json.Deterministic(true))
	return append(text, '\n'), err
}

func (own owned) stored() storedPresets {
	to := make(storedPresets, len(own))
	for slug, versions := range own {
		for _, version := range versions {
			to[slug] = append(to[slug], storedVersion{version.Version, version.Config, version.SystemPrompt})
		}
	}
	return to
}

// fits holds one owner's presets to what there is room for.
func fits(own owned) error {
	text, err := json.Marshal(own.stored())
	if err != nil {
		return fmt.Errorf("presets: %w", err)
	}
	if len(text) > maxBytes {
		return ErrFull
	}
	return nil
}

// write replaces the file at once: whoever reads it, after a crash too, finds the
// old presets or the new ones.
func write(file string, created map[string]owned) error {
	text, err := encode(created)
	if err != nil {
		return fmt.Errorf("presets: %w", err)
	}
	directory := filepath.Dir(file)
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return fmt.Errorf("presets: %w", err)
	}
	// Only the owner may read it, as os.CreateTemp has it: prompts are private.
	temporary, err := os.CreateTemp(directory, filepath.Base(file)+".*")
	if err != nil {
		return fmt.Errorf("presets: %w", err)
	}
	defer os.Remove(temporary.Name()) // fails once it is renamed
	_, err = temporary.Write(text)
	if err = errors.Join(err, temporary.Sync(), temporary.Close()); err != nil {
		return fmt.Errorf("presets: %w", err)
	}
	if err := os.Rename(temporary.Name(), file); err != nil {
		return fmt.Errorf("presets: %w", err)
	}
	return nil
}

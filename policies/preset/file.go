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

// stored is the file of created presets: the versions of each slug, the oldest
// first.
type stored struct {
	Presets map[string][]storedVersion `json:"presets"`
}

type storedVersion struct {
	Version      int            `json:"version"`
	Config       jsontext.Value `json:"config"`
	SystemPrompt string         `json:"system_prompt,omitzero"`
}

func read(file string) (map[string][]Preset, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return map[string][]Preset{}, nil
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

func decode(text []byte) (map[string][]Preset, error) {
	var from stored
	if err := json.Unmarshal(text, &from, json.RejectUnknownMembers(true)); err != nil {
		return nil, err
	}
	created := make(map[string][]Preset, len(from.Presets))
	for slug, versions := range from.Presets {
		if !slugs.MatchString(slug) || len(versions) == 0 {
			return nil, fmt.Errorf("presets[%q] is no preset", slug)
		}
		before := 0
		for i, version := range versions {
			if version.Version <= before || version.Config.Kind() != '{' {
				return nil, fmt.Errorf("presets[%q][%d] has no config, or no version above the one before", slug, i)
			}
			before = version.Version
			created[slug] = append(created[slug], Preset{
				Slug: slug, Version: version.Version, Config: version.Config, SystemPrompt: version.SystemPrompt,
			})
		}
	}
	return created, nil
}

func encode(created map[string][]Preset) ([]byte, error) {
	to := stored{Presets: make(map[string][]storedVersion, len(created))}
	for slug, versions := range created {
		for _, version := range versions {
			to.Presets[slug] = append(to.Presets[slug], storedVersion{version.Version, version.Config, version.SystemPrompt})
		}
	}
	text, err := json.Marshal(to, json.Deterministic(true))
	return append(text, '\n'), err
}

// write replaces the file at once: whoever reads it, after a crash too, finds the
// old presets or the new ones.
func write(file string, created map[string][]Preset) error {
	text, err := encode(created)
	if err != nil {
		return fmt.Errorf("presets: %w", err)
	}
	if len(text) > maxBytes {
		return ErrFull
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

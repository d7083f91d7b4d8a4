package preset

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// Owners, as the hashes of keys are.
const (
	alice = "a11ce"
	bob   = "b0b"
)

// configuration holds one preset.
func configuration(t *testing.T, slug string, members map[string]any) *configpb.Config {
	t.Helper()
	config, err := structpb.NewStruct(members)
	if err != nil {
		t.Fatal(err)
	}
	return &configpb.Config{Presets: map[string]*configpb.Preset{
		slug: {Name: "Name", Description: "Text", SystemPrompt: "Be brief.", Config: config},
	}}
}

func openStore(t *testing.T, file string) *Store {
	t.Helper()
	store, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func put(t *testing.T, store *Store, slug, config, systemPrompt string) Preset {
	t.Helper()
	created, err := store.Put(alice, slug, jsontext.Value(config), systemPrompt)
	if err != nil {
		t.Fatal(err)
	}
	return created
}

func TestRow126ConfiguredPreset(t *testing.T) {
	store := openStore(t, filepath.Join(t.TempDir(), "presets.json"))
	if err := store.Configure(configuration(t, "p", map[string]any{"temperature": 0.2, "seed": 1e15, "stop": []any{"END"}})); err != nil {
		t.Fatal(err)
	}
	want := Preset{
		Slug: "p", Version: 1, Name: "Name", Description: "Text", SystemPrompt: "Be brief.",
		Config: jsontext.Value(`{"seed":1000000000000000,"stop":["END"],"temperature":0.2}`),
	}
	got, ok := store.Get(alice, "p")
	if diff := cmp.Diff(want, got); diff != "" || !ok {
		t.Error(ok, diff)
	}
	if diff := cmp.Diff([]Preset{want}, store.Versions(alice, "p")); diff != "" {
		t.Error(diff)
	}
	if _, err := store.Put(alice, "p", jsontext.Value(`{}`), ""); !errors.Is(err, ErrReadOnly) {
		t.Errorf("error %v, want that the configuration's is read-only", err)
	}
	// The next configuration has another.
	if err := store.Configure(configuration(t, "q", nil)); err != nil {
		t.Fatal(err)
	}
	if _, ok := store.Get(alice, "p"); ok {
		t.Error("a preset outlives its configuration")
	}
	if got, ok := store.Get(alice, "q"); !ok || string(got.Config) != "{}" {
		t.Errorf("a preset without config is %+v %v", got, ok)
	}
}

func TestRow129VersionsAreKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state", "presets.json")
	store := openStore(t, file)
	if first := put(t, store, "p", `{"temperature":0.1}`, "One."); first.Version != 1 {
		t.Errorf("version %d, want 1", first.Version)
	}
	put(t, store, "a", `{}`, "")
	put(t, store, "p", `{"temperature":0.2}`, "Two.")

	again := openStore(t, file)
	for name, store := range map[string]*Store{"running": store, "opened again": again} {
		want := []Preset{
			{Slug: "p", Version: 2, Config: jsontext.Value(`{"temperature":0.2}`), SystemPrompt: "Two."},
			{Slug: "p", Version: 1, Config: jsontext.Value(`{"temperature":0.1}`), SystemPrompt: "One."},
		}
		if diff := cmp.Diff(want, store.Versions(alice, "p")); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if got, ok := store.Get(alice, "p"); !ok || got.Version != 2 {
			t.Errorf("%s: newest %+v", name, got)
		}
		var slugs []string
		for _, preset := range store.List(alice) {
			slugs = append(slugs, fmt.Sprint(preset.Slug, preset.Version))
		}
		if diff := cmp.Diff([]string{"a1", "p2"}, slugs); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode is %v, %v", info.Mode(), err)
	}
	left, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(left) != 1 {
		t.Errorf("files %v, %v", left, err)
	}
}

// A preset of the configuration hides one that was created before.
func TestConfiguredPresetHidesACreatedOne(t *testing.T) {
	store := openStore(t, filepath.Join(t.TempDir(), "presets.json"))
	put(t, store, "p", `{"seed":1}`, "")
	if err := store.Configure(configuration(t, "p", nil)); err != nil {
		t.Fatal(err)
	}
	if got, _ := store.Get(alice, "p"); got.Name != "Name" || len(store.List(alice)) != 1 || len(store.Versions(alice, "p")) != 1 {
		t.Errorf("%+v of %v", got, store.List(alice))
	}
	if err := store.Configure(&configpb.Config{}); err != nil {
		t.Fatal(err)
	}
	if got, _ := store.Get(alice, "p"); string(got.Config) != `{"seed":1}` {
		t.Errorf("the created one is lost: %+v", got)
	}
}

func TestOldVersionsGo(t *testing.T) {
	store := openStore(t, filepath.Join(t.TempDir(), "presets.json"))
	for range maxVersions + 2 {
		put(t, store, "p", `{}`, "")
	}
	versions := store.Versions(alice, "p")
	if len(versions) != maxVersions || versions[0].Version != maxVersions+2 || versions[maxVersions-1].Version != 3 {
		t.Errorf("%d versions from %d", len(versions), versions[0].Version)
	}
}

func TestPutRefuses(t *testing.T) {
	store := openStore(t, filepath.Join(t.TempDir(), "presets.json"))
	for _, slug := range []string{"", "A", "-a", "a/b", "a b", strings.Repeat("a", 64), "ä"} {
		if _, err := store.Put(alice, slug, jsontext.Value(`{}`), ""); !errors.Is(err, ErrSlug) {
			t.Errorf("%q: error %v", slug, err)
		}
	}
	if _, err := store.Put(alice, "p", jsontext.Value(`[]`), ""); err == nil {
		t.Error("a config that is no object is kept")
	}
	if _, err := store.Put(alice, "p", jsontext.Value(`{}`), strings.Repeat("x", maxBytes)); !errors.Is(err, ErrFull) {
		t.Errorf("error %v, want that there is no room", err)
	}
	if len(store.List(alice)) != 0 {
		t.Errorf("kept all the same: %v", store.List(alice))
	}
}

// What one key creates, no other sees, changes or crowds out.
func TestPresetsBelongToTheirOwner(t *testing.T) {
	file := filepath.Join(t.TempDir(), "presets.json")
	store := openStore(t, file)
	if err := store.Configure(configuration(t, "shared", nil)); err != nil {
		t.Fatal(err)
	}
	put(t, store, "p", `{}`, "Alice's secret.")
	if got, err := store.Put(bob, "p", jsontext.Value(`{}`), "Bob's."); err != nil || got.Version != 1 {
		t.Errorf("another's slug is taken: version %d, %v", got.Version, err)
	}
	large := strings.Repeat("x", maxBytes-1000)
	if _, err := store.Put(bob, "q", jsontext.Value(`{}`), large); err != nil {
		t.Fatal(err)
	}
	put(t, store, "q", `{}`, large)
	if err := store.Delete(bob, "q"); err != nil {
		t.Fatal(err)
	}
	again := openStore(t, file)
	if err := again.Configure(configuration(t, "shared", nil)); err != nil {
		t.Fatal(err)
	}
	for name, store := range map[string]*Store{"running": store, "opened again": again} {
		for owner, want := range map[string]string{
			alice: "[p1 q1 shared1]", bob: "[p1 shared1]", "": "[shared1]",
		} {
			slugs := []string{}
			for _, preset := range store.List(owner) {
				slugs = append(slugs, fmt.Sprint(preset.Slug, preset.Version))
			}
			if got := fmt.Sprint(slugs); got != want {
				t.Errorf("%s: %q sees %s, want %s", name, owner, got, want)
			}
		}
		if got, _ := store.Get(bob, "p"); got.SystemPrompt != "Bob's." {
			t.Errorf("%s: bob's preset is %+v", name, got)
		}
		if _, ok := store.Get("", "p"); ok || len(store.Versions("", "p")) != 0 {
			t.Errorf("%s: somebody's preset is everybody's", name)
		}
	}
}

func TestDelete(t *testing.T) {
	file := filepath.Join(t.TempDir(), "presets.json")
	store := openStore(t, file)
	put(t, store, "p", `{}`, "One.")
	put(t, store, "p", `{}`, "Two.")
	if err := store.Delete(bob, "p"); !errors.Is(err, ErrNone) {
		t.Errorf("another's: error %v", err)
	}
	if err := store.Delete(alice, "p"); err != nil {
		t.Fatal(err)
	}
	if err := store.Delete(alice, "p"); !errors.Is(err, ErrNone) {
		t.Errorf("again: error %v", err)
	}
	for _, store := range []*Store{store, openStore(t, file)} {
		if _, ok := store.Get(alice, "p"); ok || len(store.List(alice)) != 0 {
			t.Error("it is still there")
		}
	}
	if err := store.Configure(configuration(t, "p", nil)); err != nil {
		t.Fatal(err)
	}
	if err := store.Delete(alice, "p"); !errors.Is(err, ErrReadOnly) {
		t.Errorf("the configuration's: error %v", err)
	}
}

// What is not on disk is not in memory either.
func TestPutThatCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state", "presets.json")
	store := openStore(t, file)
	if err := os.WriteFile(filepath.Dir(file), nil, 0o600); err != nil { // a file where the directory should be
		t.Fatal(err)
	}
	if _, err := store.Put(alice, "p", jsontext.Value(`{}`), ""); err == nil {
		t.Error("no error")
	}
	if _, ok := store.Get(alice, "p"); ok {
		t.Error("kept all the same")
	}
}

func TestCorruptFileIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "presets.json")
	for name, text := range map[string]string{
		"empty":            "",
		"cut off":          `{"owners":{"a11ce":{"p":[{"version":1,`,
		"unknown member":   `{"owners":{},"other":1}`,
		"a slug":           `{"owners":{"a11ce":{"P":[{"version":1,"config":{}}]}}}`,
		"no version":       `{"owners":{"a11ce":{"p":[]}}}`,
		"version 0":        `{"owners":{"a11ce":{"p":[{"version":0,"config":{}}]}}}`,
		"versions reorder": `{"owners":{"a11ce":{"p":[{"version":2,"config":{}},{"version":1,"config":{}}]}}}`,
		"no config":        `{"owners":{"a11ce":{"p":[{"version":1}]}}}`,
		"config is a list": `{"owners":{"a11ce":{"p":[{"version":1,"config":[]}]}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(file); err == nil || !strings.Contains(err.Error(), file) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestStoreFromManyGoroutines(t *testing.T) {
	file := filepath.Join(t.TempDir(), "presets.json")
	store := openStore(t, file)
	one := configuration(t, "configured", nil)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 5 {
				if _, err := store.Put(alice, "p", jsontext.Value(`{}`), ""); err != nil {
					t.Error(err)
				}
				if err := store.Configure(one); err != nil {
					t.Error(err)
				}
				store.Get(alice, "p")
				store.List(alice)
			}
		})
	}
	group.Wait()
	for _, store := range []*Store{store, openStore(t, file)} {
		if got, _ := store.Get(alice, "p"); got.Version != 20 {
			t.Errorf("version %d after 20 of them", got.Version)
		}
	}
}

// Whatever the file holds: an error, or presets that are written as they were read.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"owners":{"a11ce":{"p":[{"version":1,"config":{"a":1},"system_prompt":"x"},{"version":3,"config":{}}]}}}`))
	f.Add([]byte(`{"owners":{"a11ce":{}}}`))
	f.Add([]byte(`{`))
	f.Fuzz(func(t *testing.T, text []byte) {
		created, err := decode(text)
		if err != nil {
			return
		}
		written, err := encode(created)
		if err != nil {
			t.Fatal(err)
		}
		again, err := decode(written)
		if err != nil {
			t.Fatalf("%s: %v", written, err)
		}
		rewritten, err := encode(again)
		if err != nil || string(rewritten) != string(written) {
			t.Errorf("%s is written\n%s and again\n%s, %v", text, written, rewritten, err)
		}
	})
}

// BenchmarkGet is on the path of each request that names a preset.
func BenchmarkGet(b *testing.B) {
	store, err := Open(filepath.Join(b.TempDir(), "presets.json"))
	if err != nil {
		b.Fatal(err)
	}
	if _, err := store.Put(alice, "p", jsontext.Value(`{"temperature":0.2}`), "Be brief."); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := store.Get(alice, "p"); !ok {
			b.Fatal("not found")
		}
	}
}

package config

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// messages is a log handler that hands on what was logged.
type messages chan string

func (m messages) Enabled(context.Context, slog.Level) bool { return true }
func (m messages) WithAttrs([]slog.Attr) slog.Handler       { return m }
func (m messages) WithGroup(string) slog.Handler            { return m }

func (m messages) Handle(_ context.Context, record slog.Record) error {
	text := record.Message
	record.Attrs(func(attribute slog.Attr) bool {
		text += " " + attribute.String()
		return true
	})
	m <- text
	return nil
}

// expect waits for a message with the given text in it, and passes over others.
func (m messages) expect(t *testing.T, text string) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		select {
		case message := <-m:
			if strings.Contains(message, text) {
				return
			}
		case <-deadline:
			t.Fatalf("%q is not logged", text)
		}
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// limit is a configuration that can be told from others.
func limit(requests string) string {
	return "models_from_presets: none\nproviders: {ollama: }\nlimits: {requests: " + requests + "}\n"
}

func requests(s *Store) uint32 { return s.Current().Config().GetLimits().GetRequests() }

func open(t *testing.T, path string, apply func(*Effective) error) (*Store, messages) {
	t.Helper()
	log := make(messages, 100)
	store, err := Open(path, Options{Logger: slog.New(log)}, apply)
	if err != nil {
		t.Fatal(err)
	}
	return store, log
}

// known-failures 57.
func TestReload(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gateway.yaml")
	write(t, path, limit("1"))
	var applied []uint32
	store, log := open(t, path, func(effective *Effective) error {
		applied = append(applied, effective.Config().GetLimits().GetRequests())
		if effective.Config().GetLimits().GetRequests() == 13 {
			return errors.New("thirteen is refused further down")
		}
		return nil
	})
	first := store.State()
	if first.Generation == "" || first.LoadedAt.IsZero() || first.Err != nil {
		t.Errorf("state at the start %+v", first)
	}

	// A good file replaces the running one.
	write(t, path, limit("2"))
	if err := store.Reload(); err != nil || requests(store) != 2 {
		t.Errorf("error %v, running %d", err, requests(store))
	}
	log.expect(t, "configuration reloaded")
	second := store.State()
	if second.Reloads != 1 || second.Generation == first.Generation {
		t.Errorf("state after a reload %+v", second)
	}

	// A bad one is reported in full, and the running one stays.
	write(t, path, "limits: {requests: many}\ntelemetry: {log_level: loud}\n")
	err := store.Reload()
	var problems Problems
	if !errors.As(err, &problems) || len(problems) != 2 {
		t.Errorf("error %v", err)
	}
	log.expect(t, "configuration refused, the running one stays")
	log.expect(t, "gateway.yaml:1:20: limits.requests: must be a whole number")
	log.expect(t, "gateway.yaml:2:24: telemetry.log_level: must be debug")
	state := store.State()
	if state.Failures != 1 || state.Err == nil || state.FailedAt.IsZero() || state.Generation != second.Generation || requests(store) != 2 {
		t.Errorf("state after a failure %+v", state)
	}

	// So is one that whoever applies it refuses.
	write(t, path, limit("13"))
	if err := store.Reload(); err == nil || requests(store) != 2 {
		t.Errorf("error %v, running %d", err, requests(store))
	}
	log.expect(t, "thirteen is refused further down")

	// The running one again: nothing is applied, and the failure is over.
	write(t, path, limit("2"))
	if err := store.Reload(); err != nil {
		t.Error(err)
	}
	log.expect(t, "configuration is again the running one")
	if state := store.State(); state.Err != nil || state.Reloads != 1 || state.Failures != 2 || !state.LoadedAt.Equal(second.LoadedAt) {
		t.Errorf("state after the return %+v", state)
	}
	if want := []uint32{1, 2, 13}; len(applied) != 3 || applied[0] != want[0] || applied[1] != want[1] || applied[2] != want[2] {
		t.Errorf("applied %v, want %v", applied, want)
	}
}

func TestOpenFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gateway.yaml")
	write(t, path, "nonsense: true\n")
	if _, err := Open(path, Options{}, nil); err == nil {
		t.Error("a bad file opens")
	}
	write(t, path, limit("1"))
	refused := errors.New("refused")
	if _, err := Open(path, Options{}, func(*Effective) error { return refused }); !errors.Is(err, refused) {
		t.Errorf("error %v", err)
	}
}

// Reloads from several goroutines do not overlap, and readers are never without
// a configuration.
func TestReloadFromManyGoroutines(t *testing.T) {
	var reads atomic.Int64
	options := Options{
		Logger: slog.New(slog.DiscardHandler),
		ReadFile: func(string) ([]byte, error) { // a file that is always new
			return []byte(limit(strconv.FormatInt(reads.Add(1), 10))), nil
		},
	}
	var inside, applied atomic.Int64
	store, err := Open("gateway.yaml", options, func(*Effective) error {
		if inside.Add(1) != 1 {
			t.Error("two configurations are applied at a time")
		}
		for range 1000 { // let the others catch up
			runtime.Gosched()
		}
		inside.Add(-1)
		applied.Add(1)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 10 {
				if err := store.Reload(); err != nil || requests(store) == 0 {
					t.Errorf("error %v, running %d", err, requests(store))
				}
			}
		})
	}
	group.Wait()
	if state := store.State(); applied.Load() != 41 || state.Reloads != 40 {
		t.Errorf("%d applied, state %+v", applied.Load(), state)
	}
}

// watch runs Watch until the test ends.
func watch(t *testing.T, store *Store) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- store.Watch(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// The ways in which a file changes in practice.
func TestWatch(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, path, text string){
		"written in place": write,
		"renamed over": func(t *testing.T, path, text string) {
			write(t, path+"~", text)
			if err := os.Rename(path+"~", path); err != nil {
				t.Fatal(err)
			}
		},
		"removed and written again": func(t *testing.T, path, text string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			write(t, path, text)
		},
		"link pointed elsewhere": func(t *testing.T, path, text string) {
			target := filepath.Join(t.TempDir(), "elsewhere.yaml")
			write(t, target, text)
			if err := os.Symlink(target, path+".link"); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(path+".link", path); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "gateway.yaml")
			write(t, path, limit("1"))
			store, log := open(t, path, nil)
			watch(t, store)
			for _, want := range []string{"2", "3"} {
				change(t, path, limit(want))
				log.expect(t, "configuration reloaded")
			}
			if requests(store) != 3 {
				t.Errorf("running %d", requests(store))
			}
			change(t, path, "nonsense: true\n")
			log.expect(t, "unknown field")
			if requests(store) != 3 || store.State().Err == nil {
				t.Errorf("running %d, state %+v", requests(store), store.State())
			}
		})
	}
}

// Kubernetes mounts gateway.yaml -> ..data/gateway.yaml, and ..data -> a
// directory with the time in its name, and swaps ..data.
func TestWatchKubernetesVolume(t *testing.T) {
	volume := t.TempDir()
	publish := func(version, text string) {
		directory := filepath.Join(volume, "..version_"+version)
		if err := os.Mkdir(directory, 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(directory, "gateway.yaml"), text)
		if err := os.Symlink(filepath.Base(directory), filepath.Join(volume, "..data_tmp")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(volume, "..data_tmp"), filepath.Join(volume, "..data")); err != nil {
			t.Fatal(err)
		}
	}
	publish("1", limit("1"))
	path := filepath.Join(volume, "gateway.yaml")
	if err := os.Symlink("..data/gateway.yaml", path); err != nil {
		t.Fatal(err)
	}
	store, log := open(t, path, nil)
	watch(t, store)
	for _, version := range []string{"2", "3"} {
		publish(version, limit(version))
		log.expect(t, "configuration reloaded")
		if err := os.RemoveAll(filepath.Join(volume, "..version_1")); err != nil {
			t.Fatal(err)
		}
	}
	if requests(store) != 3 {
		t.Errorf("running %d", requests(store))
	}
}

// A key that is rotated in a file of its own is taken up.
func TestWatchNamedFile(t *testing.T) {
	path, key := filepath.Join(t.TempDir(), "gateway.yaml"), filepath.Join(t.TempDir(), "key")
	write(t, key, "old")
	write(t, path, "models_from_presets: none\nproviders: {openai: {credential: {file: "+key+"}}}\n")
	store, log := open(t, path, nil)
	watch(t, store)
	// Twice, because Watch itself reads the first if it begins after the write.
	for _, want := range []string{"new", "newer"} {
		write(t, key, want)
		log.expect(t, "configuration reloaded")
		if secret, _ := store.Current().Secret("openai"); secret.Reveal() != want {
			t.Errorf("the key is still %q", secret.Reveal())
		}
	}
}

func TestWatchDirectoryThatIsGone(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "etc")
	if err := os.Mkdir(directory, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(directory, "gateway.yaml")
	write(t, path, limit("1"))
	store, _ := open(t, path, nil)
	if err := os.RemoveAll(directory); err != nil {
		t.Fatal(err)
	}
	if err := store.Watch(t.Context()); err == nil || !strings.Contains(err.Error(), directory) {
		t.Errorf("error %v", err)
	}
}

// One save is several changes, but one reload, once it is over; a file that
// never comes to rest is read all the same.
func TestDebounce(t *testing.T) {
	matters := func(name string) bool { return name == "it" }
	for name, test := range map[string]struct {
		// at are the times of changes, and want those of reloads, in ms.
		at, want []int
		file     string
	}{
		"one change":           {at: []int{0}, want: []int{100}, file: "it"},
		"a burst":              {at: []int{0, 10, 90, 150}, want: []int{250}, file: "it"},
		"two saves":            {at: []int{0, 500}, want: []int{100, 600}, file: "it"},
		"another file":         {at: []int{0, 10}, file: "other"},
		"never at rest":        {at: every(50, 3000), want: []int{2000, 3050}, file: "it"},
		"the notifier's error": {at: []int{0}, want: []int{100}, file: ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				events, failures := make(chan fsnotify.Event), make(chan error)
				start := time.Now()
				var got []int
				var group sync.WaitGroup
				group.Go(func() {
					debounce(ctx, events, failures, matters, func() {
						got = append(got, int(time.Since(start).Milliseconds()))
					})
				})
				for _, at := range test.at {
					time.Sleep(time.Until(start.Add(time.Duration(at) * time.Millisecond)))
					if test.file == "" {
						failures <- fsnotify.ErrEventOverflow
					} else {
						events <- fsnotify.Event{Name: test.file}
					}
				}
				time.Sleep(10 * time.Second)
				cancel()
				group.Wait()
				if len(got) != len(test.want) {
					t.Fatalf("reloads at %v, want %v", got, test.want)
				}
				for i := range got {
					if got[i] != test.want[i] {
						t.Errorf("reloads at %v, want %v", got, test.want)
					}
				}
			})
		})
	}
}

// every lists the multiples of a step, up to the end.
func every(step, end int) []int {
	var all []int
	for at := 0; at < end; at += step {
		all = append(all, at)
	}
	return all
}

package envoy_test

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard/switchyard/envoy"
)

var update = flag.Bool("update", false, "rewrite the golden files under testdata")

func fixedSockets() envoy.Sockets {
	return envoy.Sockets{XDS: "/run/switchyard/xds.sock", Processor: "/run/switchyard/extproc.sock", Admin: "/run/switchyard/admin.sock"}
}

func TestGoldenBootstrap(t *testing.T) {
	t.Parallel()
	got, err := envoy.Bootstrap(fixedSockets())
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "bootstrap.json")
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatalf("%v (run the test with -update)", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("(-want +got), run with -update if intended:\n%s", diff)
	}
	again, err := envoy.Bootstrap(fixedSockets())
	if err != nil || !bytes.Equal(got, again) {
		t.Errorf("a second rendering differs: %v", err)
	}
}

// TestEnvoyAcceptsBootstrap asks Envoy itself, and wants no warning either:
// those tell of deprecated fields, which the next Envoy refuses.
func TestEnvoyAcceptsBootstrap(t *testing.T) {
	t.Parallel()
	out, err := exec.Command(binary.Path, "--mode", "validate", "--log-level", "warning",
		"-c", filepath.Join("testdata", "bootstrap.json")).CombinedOutput()
	if err != nil || strings.Contains(string(out), "[warning]") {
		t.Errorf("%v:\n%s", err, out)
	}
}

func TestSocketPathsAreChecked(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*envoy.Sockets){
		"empty":    func(s *envoy.Sockets) { s.Admin = "" },
		"too long": func(s *envoy.Sockets) { s.Processor = "/" + strings.Repeat("x", 107) },
	} {
		sockets := fixedSockets()
		change(&sockets)
		if _, err := envoy.Bootstrap(sockets); err == nil || !strings.Contains(err.Error(), "at most 107 bytes") {
			t.Errorf("%s: %v", name, err)
		}
	}
	sockets := fixedSockets()
	sockets.XDS = "/" + strings.Repeat("x", 106)
	if _, err := envoy.Bootstrap(sockets); err != nil {
		t.Errorf("107 bytes: %v", err)
	}
}

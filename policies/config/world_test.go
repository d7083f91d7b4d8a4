package config

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"flag"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// shown must never be seen in anything that the package writes: every secret of
// the test data holds it.
const shown = "not-to-be-shown"

var update = flag.Bool("update", false, "rewrite the golden files")

// world is the environment and the files that the test data refers to.
func world() Options {
	files := testFiles()
	return Options{
		LookupEnv: environment(map[string]string{
			"OPENAI_API_KEY":    "sk-" + shown,
			"OPENAI_EU_KEY":     "sk-eu-" + shown,
			"MISTRAL_API_KEY":   "mk-" + shown,
			"ANTHROPIC_API_KEY": "",
			"EMPTY_KEY":         " ",
			"TWO_LINES_KEY":     "one\n" + shown,
		}),
		ReadFile: func(name string) ([]byte, error) {
			if data, ok := files[filepath.Base(name)]; ok {
				return data, nil
			}
			if filepath.Ext(name) != ".yaml" && filepath.Ext(name) != ".json" {
				return nil, &fs.PathError{Op: "open", Path: filepath.Base(name), Err: fs.ErrNotExist}
			}
			return os.ReadFile(name)
		},
	}
}

func environment(variables map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := variables[name]
		return value, ok
	}
}

// testFiles holds a certificate with its key, another key, and text files.
var testFiles = sync.OnceValue(func() map[string][]byte {
	certificate, key := newCertificate()
	_, other := newCertificate()
	return map[string][]byte{
		"server.pem": certificate,
		"server.key": key,
		"other.key":  other,
		"key.txt":    []byte("  mk-" + shown + "\n"),
		"empty.txt":  []byte("\n"),
	}
})

func newCertificate() (certificate, key []byte) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "gateway.test"},
		NotAfter: time.Now().Add(time.Hour),
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		panic(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})
}

// golden compares with a file, or writes it with -update. The directory that
// the tests run in reads /here.
func golden(t *testing.T, name, got string) {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	got = strings.ReplaceAll(got, here, "/here")
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// load reads test data in that world, and fails the test if it has problems.
func load(t *testing.T, name string) *Effective {
	t.Helper()
	effective, err := Load(filepath.Join("testdata", name), world())
	if err != nil {
		t.Fatal(err)
	}
	return effective
}

// parse reads YAML in that world, and fails the test if it has problems.
func parse(t *testing.T, text string) *Effective {
	t.Helper()
	effective, err := Parse("test.yaml", []byte(text), world())
	if err != nil {
		t.Fatal(err)
	}
	return effective
}

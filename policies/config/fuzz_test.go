package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
)

// Whatever the bytes: no panic, either a configuration or problems that say
// where they are, and a configuration that can be printed and read again.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range append(files, "example.yaml") {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	options := world()
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			t.Skip("the size is bounded elsewhere")
		}
		effective, err := Parse("fuzz.yaml", data, options)
		if (effective == nil) == (err == nil) {
			t.Fatalf("configuration %v, error %v", effective != nil, err)
		}
		if err != nil {
			for _, problem := range err.(Problems) {
				if problem.Text == "" || problem.Line < 0 || problem.Column < 0 {
					t.Errorf("problem %#v", problem)
				}
			}
			return
		}
		printed := Print(effective)
		if strings.Contains(string(printed), Redacted) {
			return // a secret in clear cannot be read again
		}
		again, err := Parse("fuzz.yaml", printed, options)
		if err != nil {
			t.Fatalf("printed:\n%s\n%v", printed, err)
		}
		if !proto.Equal(effective.Config(), again.Config()) {
			t.Errorf("printed:\n%s\nread again:\n%s", printed, Print(again))
		}
	})
}

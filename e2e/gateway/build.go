// Package gateway runs real switchyard processes, with the real Envoys that they
// start, for the end-to-end suite and the benchmark.
package gateway

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
)

// Build compiles switchyard into a directory and returns the binary's path. The
// flags, such as "-race", go to go build.
func Build(ctx context.Context, directory string, flags ...string) (string, error) {
	binary := filepath.Join(directory, "switchyard")
	arguments := append([]string{"build", "-o", binary}, flags...)
	arguments = append(arguments, "github.com/switchyard/switchyard")
	if output, err := exec.CommandContext(ctx, "go", arguments...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("build switchyard: %w\n%s", err, output)
	}
	return binary, nil
}

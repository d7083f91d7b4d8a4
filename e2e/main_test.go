// Package e2e proves the gateway from end to end: a real switchyard process, a
// real Envoy, the official SDKs of OpenAI and OpenRouter in front and fake
// providers as strict as the real ones behind. It fails, and never skips, when one
// of them is missing.
package e2e

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/switchyard/switchyard/e2e/gateway"
	"github.com/switchyard/switchyard/envoy"
)

// binary is the switchyard under test, built once.
var binary string

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	// What make installs is found from the repository's root. The gateways run
	// in directories of their own, so they are told.
	if err := os.Chdir(".."); err != nil {
		return 1, err
	}
	found, err := envoy.Find(context.Background(), "")
	if err != nil {
		return 1, err
	}
	if err := os.Setenv("ENVOY_PATH", found.Path); err != nil {
		return 1, err
	}
	directory, err := os.MkdirTemp("", "switchyard-e2e-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(directory)
	if binary, err = gateway.Build(context.Background(), directory, buildFlags...); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

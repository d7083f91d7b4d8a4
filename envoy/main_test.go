package envoy_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/switchyard/switchyard/envoy"
)

// binary is the Envoy under test, the one that the gateway would run.
var binary envoy.Binary

func TestMain(m *testing.M) {
	if err := findBinary(); err != nil {
		// Never skipped: without Envoy nothing here is tested.
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

// findBinary looks from the project's root, where `make` installs Envoy.
func findBinary() error {
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	if err := os.Chdir(".."); err != nil {
		return err
	}
	if binary, err = envoy.Find(context.Background(), ""); err != nil {
		return err
	}
	return os.Chdir(here)
}

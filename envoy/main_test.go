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

// superviseIn makes the test binary a gateway that runs nothing but Envoy, in
// the directory that is the variable's value. See TestNoOrphan.
const superviseIn = "SWITCHYARD_TEST_SUPERVISE_IN"

func TestMain(m *testing.M) {
	if err := findBinary(); err != nil {
		// Never skipped: without Envoy nothing here is tested.
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if directory := os.Getenv(superviseIn); directory != "" {
		fmt.Fprintln(os.Stderr, supervise(directory))
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

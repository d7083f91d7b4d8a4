//go:build race

package e2e

// buildFlags gives the gateway the race detector that the tests themselves have.
var buildFlags = []string{"-race"}

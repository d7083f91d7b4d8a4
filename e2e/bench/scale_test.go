package main

import "testing"

// Planning must not cost more where the catalog is larger.
func TestPlansDoNotGrowWithTheCatalog(t *testing.T) {
	costs, err := planCosts()
	if err != nil {
		t.Fatal(err)
	}
	for _, cost := range costs {
		t.Logf("%s: %.1f µs, %d bytes", cost.name, microseconds(cost.large), cost.allocated)
		// Slices of the same length may still differ by a size class.
		if cost.growth > cost.allocated/10 {
			t.Errorf("planning %s allocates %d bytes more with a hundred times as many models", cost.name, cost.growth)
		}
	}
}

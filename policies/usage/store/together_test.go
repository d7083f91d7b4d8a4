package store

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/switchyard/switchyard/policies/usage"
)

// known-failures 45: gateways that share a database write batches at once which have
// rows in common, each in an order of its own, while one deletes what is old and others
// ask what was spent. None waits for another for ever, no batch fails, and no row counts
// twice or not at all.
func TestBatchesOfManyGatewaysDoNotDeadlock(t *testing.T) {
	const gateways, rounds, rows = 4, 15, 40
	onBoth(t, func(t *testing.T, open func() *Store) {
		first := open()
		var old []usage.Generation
		for n := range rows {
			old = append(old, generation(fmt.Sprint("gen-0-", n), noon.AddDate(0, 0, -60)))
		}
		if err := first.Save(t.Context(), old); err != nil {
			t.Fatal(err)
		}
		var working sync.WaitGroup
		for n := range gateways {
			s, random := open(), rand.New(rand.NewPCG(uint64(n), 2))
			working.Go(func() {
				for round := range rounds {
					var batch []usage.Generation
					for _, row := range random.Perm(rows) {
						g := generation(fmt.Sprintf("gen-1-%d-%d", round, row), noon.Add(time.Duration(row)*time.Hour))
						g.KeyHash = fmt.Sprint("key-", row%3) // rows of several keys and days are in every batch
						batch = append(batch, g)
					}
					if err := s.Save(t.Context(), batch); err != nil {
						t.Errorf("gateway %d, round %d: %v", n, round, err)
					}
					if _, err := s.SpentBy(t.Context(), Who{KeyHash: "key-0"}, noon); err != nil {
						t.Error(err)
					}
					if n == 0 {
						if _, err := s.Purge(t.Context(), noon.AddDate(0, 0, -60+round)); err != nil {
							t.Errorf("round %d: %v", round, err)
						}
					}
				}
			})
		}
		working.Wait()
		cost := old[0].Cost()
		for since, want := range map[time.Time]int{{}: rows + rounds*rows, noon: rounds * rows} {
			if spent, err := first.SpentBy(t.Context(), Who{}, since); err != nil || spent.Requests != int64(want) || spent.Cost != cost.Mul(int64(want)) {
				t.Errorf("since %v: %+v, %v; want %d requests of %v", since, spent, err, want, cost)
			}
		}
	})
}

// Package databasetest runs tests on both kinds of database.
package databasetest

import (
	"path/filepath"
	"testing"

	"github.com/switchyard/switchyard/policies/database"
	"github.com/switchyard/switchyard/policies/usage/postgrestest"
)

// OnBoth runs a test on an empty database of either kind. What open returns is closed
// when the test ends; every call opens the same database anew.
func OnBoth(t *testing.T, test func(t *testing.T, open func() *database.DB)) {
	t.Run("sqlite", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "a file?with#odd%20name.db")
		test(t, func() *database.DB { return opened(t)(database.OpenSQLite(t.Context(), file)) })
	})
	t.Run("postgres", func(t *testing.T) {
		server := postgrestest.Start(t)
		test(t, func() *database.DB { return opened(t)(database.OpenPostgres(t.Context(), server.Connection())) })
	})
}

func opened(t *testing.T) func(*database.DB, error) *database.DB {
	return func(db *database.DB, err error) *database.DB {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
}

// Package databasetest runs tests on both kinds of database.
package databasetest

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/switchyard/switchyard/policies/database"
	"github.com/switchyard/switchyard/policies/usage/postgrestest"
)

// shared is the PostgreSQL of all tests of a package: one for each would take seconds.
var shared struct {
	sync.Mutex
	server *postgrestest.Server
	count  int
}

// Run runs the tests of a package, and ends the PostgreSQL that they shared. It is what
// the package's TestMain calls.
func Run(m *testing.M) int {
	code := m.Run()
	if shared.server != nil {
		shared.server.Close()
	}
	return code
}

// freshPostgres makes an empty database and returns how to connect to it.
func freshPostgres(t *testing.T) string {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil {
		shared.server = postgrestest.Launch(t)
	}
	db, err := sql.Open("pgx", shared.server.Connection())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	shared.count++
	name := fmt.Sprintf("test%d", shared.count)
	if _, err := db.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	return shared.server.Database(name)
}

// OnBoth runs a test on an empty database of either kind. What open returns is closed
// when the test ends; every call opens the same database anew. The package's TestMain
// calls [Run].
func OnBoth(t *testing.T, test func(t *testing.T, open func() *database.DB)) {
	t.Run("sqlite", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "a file?with#odd%20name.db")
		test(t, func() *database.DB { return opened(t)(database.OpenSQLite(t.Context(), file)) })
	})
	t.Run("postgres", func(t *testing.T) {
		connection := freshPostgres(t)
		test(t, func() *database.DB { return opened(t)(database.OpenPostgres(t.Context(), connection)) })
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

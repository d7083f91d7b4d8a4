package database

import (
	"database/sql"
	"io/fs"
	"sync"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/switchyard/switchyard/policies/usage/postgrestest"
)

// Gateways that start at once on an empty PostgreSQL all find the schema made.
func TestGatewaysThatStartAtOnceMakeOneSchema(t *testing.T) {
	server := postgrestest.Start(t)
	// goose's own table is there already: making it, too, is a race, whose losers come so late
	// that they would meet nobody in the others.
	if err := versioned(t, server.Connection()); err != nil {
		t.Fatal(err)
	}
	start := make(chan struct{})
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			<-start
			db, err := OpenPostgres(t.Context(), server.Connection())
			if err != nil {
				t.Error(err)
				return
			}
			defer db.Close()
			if _, err := db.ExecContext(t.Context(), `SELECT 1 FROM guardrails, generations, credit_entries`); err != nil {
				t.Error(err)
			}
		})
	}
	close(start)
	all.Wait()
}

// versioned makes the table of the migrations that were done, which are none.
func versioned(t *testing.T, connection string) error {
	db, err := sql.Open("pgx", connection)
	if err != nil {
		return err
	}
	defer db.Close()
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files)
	if err != nil {
		return err
	}
	_, err = provider.HasPending(t.Context())
	return err
}

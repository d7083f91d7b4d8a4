package database

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestConnectionStringIsNeverShown(t *testing.T) {
	for _, connection := range []string{"postgres://u:hunter2@127.0.0.1:1/x?connect_timeout=1", "postgres://u:hunter2@[::1", "host=127.0.0.1 port=1 password=hunter2 connect_timeout=1"} {
		pending := PendingPostgres(connection)
		for range 2 { // what failed once is tried again
			if err := pending.Open(t.Context()); err == nil || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error %v", err)
			}
		}
		if _, err := pending.Get(t.Context()); err != ErrPending {
			t.Errorf("error %v", err)
		}
		if err := pending.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestRebindNumbersPlaceholders(t *testing.T) {
	const text = `SELECT a FROM b WHERE c = ? AND d = ?`
	if got := (&DB{}).Rebind(text); got != text {
		t.Errorf("SQLite: %s", got)
	}
	if got := (&DB{postgres: true}).Rebind(text); got != `SELECT a FROM b WHERE c = $1 AND d = $2` {
		t.Errorf("PostgreSQL: %s", got)
	}
}

func TestReferencesHoldInSQLite(t *testing.T) {
	db, err := OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `INSERT INTO guardrails (id, organization_id, terms, created, updated) VALUES ('g', 'nobody', '{}', 0, 0)`); err == nil {
		t.Error("a guardrail of an organisation that is not there")
	}
}

// A statement is prepared for each connection that needs it, and is of use to all at once.
func TestStatementIsKeptForAllConnections(t *testing.T) {
	db, err := OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	const text = `INSERT INTO organizations (id, name, created) VALUES (?, ?, 0) RETURNING id`
	var all sync.WaitGroup
	for n := range 20 {
		all.Go(func() {
			insert, err := db.Keep(t.Context(), text)
			if err != nil {
				t.Error(err)
				return
			}
			tx, err := db.BeginTx(t.Context(), nil)
			if err != nil {
				t.Error(err)
				return
			}
			defer tx.Rollback()
			rows, err := insert.Query(t.Context(), tx, fmt.Sprint("o", n), "x")
			if err != nil {
				t.Error(err)
				return
			}
			if !rows.Next() || errors.Join(rows.Err(), rows.Close()) != nil {
				t.Errorf("nothing is inserted, %v", rows.Err())
			}
			if err := tx.Commit(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	count := 0
	if err := db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM organizations WHERE name = 'x'`).Scan(&count); err != nil || count != 20 {
		t.Errorf("%d rows, %v", count, err)
	}
	first, err := db.Keep(t.Context(), text)
	if again, _ := db.Keep(t.Context(), text); err != nil || again != first {
		t.Errorf("a second statement of the same text, %v", err)
	}
	if _, err := db.Keep(t.Context(), `INSERT INTO nothing`); err == nil {
		t.Error("a statement that is none")
	}
}

package database

import (
	"context"
	"database/sql"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/pressly/goose/v3"
)

// A database of an earlier version gets what is known of when it was made, and the names of
// the API in what was logged.
func TestOlderDatabaseIsBroughtUpToDate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.db")
	older, err := sql.Open("sqlite", "file:"+file)
	if err != nil {
		t.Fatal(err)
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, older, files)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), 13); err != nil {
		t.Fatal(err)
	}
	if _, err := older.ExecContext(t.Context(), `INSERT INTO audit_log (id, organization_id, created, actor_hash, actor_name, action, target, before, after)
		VALUES ('1', 'default', 1700000000000000, 'h', 'n', 'budget.set', 'w', '', '{"id":"i","Amount":5,"Reset":"","IncludeBYOK":false}')`); err != nil {
		t.Fatal(err)
	}
	if err := older.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := OpenSQLite(context.Background(), file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var organization, created, updated int64
	if err := db.QueryRowContext(t.Context(), `SELECT o.created, w.created, w.updated FROM organizations o JOIN workspaces w ON w.organization_id = o.id`).Scan(&organization, &created, &updated); err != nil {
		t.Fatal(err)
	}
	if organization != 1700000000000000 || created != organization || updated != organization {
		t.Errorf("%d, %d, %d", organization, created, updated)
	}
	var after string
	if err := db.QueryRowContext(t.Context(), `SELECT after FROM audit_log`).Scan(&after); err != nil || after != `{"id":"i","limit_usd":5,"reset_interval":null,"include_byok_in_budgets":false}` {
		t.Errorf("%s, %v", after, err)
	}
}

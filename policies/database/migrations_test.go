package database

import (
	"database/sql"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/switchyard/switchyard/policies/usage/postgrestest"
)

// What was deleted before there were sums of all days still counts for whom it did.
func TestDaysOfDeletedGenerationsAreCarriedOver(t *testing.T) {
	server := postgrestest.Start(t)
	for name, open := range map[string]func() (*sql.DB, goose.Dialect, error){
		"sqlite": func() (*sql.DB, goose.Dialect, error) {
			db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "x.db"))
			return db, goose.DialectSQLite3, err
		},
		"postgres": func() (*sql.DB, goose.Dialect, error) {
			db, err := sql.Open("pgx", server.Connection())
			return db, goose.DialectPostgres, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			db, dialect, err := open()
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			files, err := fs.Sub(migrations, "migrations")
			if err != nil {
				t.Fatal(err)
			}
			provider, err := goose.NewProvider(dialect, db, files)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := provider.UpTo(t.Context(), 13); err != nil {
				t.Fatal(err)
			}
			const day = "1763942400000000"
			for _, text := range []string{
				`INSERT INTO generation_days VALUES (` + day + `, 'k', 'team', 'default', 'm', 'p', 'm|p', 2, 10, 20, 3, 4, 1000, 70)`,
				`INSERT INTO generation_days VALUES (` + day + `, 'k', 'team', 'default', 'm', 'q', 'm|q', 1, 1, 1, 1, 1, 30, 0)`,
				`INSERT INTO key_creators VALUES ('k', 'ada', 0, ` + day + `), ('k', 'bob', ` + day + `, 9223372036854775807)`,
			} {
				if _, err := db.ExecContext(t.Context(), text); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := provider.UpTo(t.Context(), 14); err != nil {
				t.Fatal(err)
			}
			spent := func() (all string) {
				t.Helper()
				rows, err := db.QueryContext(t.Context(), `SELECT kind, name, day, requests, cost, byok_cost, latest FROM spending_days ORDER BY kind, name`)
				if err != nil {
					t.Fatal(err)
				}
				defer rows.Close()
				for rows.Next() {
					var kind, name, day, requests, cost, upstream, latest string
					if err := rows.Scan(&kind, &name, &day, &requests, &cost, &upstream, &latest); err != nil {
						t.Fatal(err)
					}
					all += strings.Join([]string{kind, name, day, requests, cost, upstream, latest}, " ") + "\n"
				}
				return all
			}
			want := "key k " + day + " 3 1030 70 " + day + "\nmember bob " + day + " 3 1030 70 0\nmodel m " + day + " 3 1030 70 0\n" +
				"provider p " + day + " 2 1000 70 0\nprovider q " + day + " 1 30 0 0\nworkspace default " + day + " 3 1030 70 0\n"
			if got := spent(); got != want {
				t.Errorf("%s\nwant %s", got, want)
			}
			// There and back again.
			if _, err := provider.DownTo(t.Context(), 13); err != nil {
				t.Fatal(err)
			}
			if _, err := provider.UpTo(t.Context(), 14); err != nil {
				t.Fatal(err)
			}
			if got := spent(); got != want {
				t.Errorf("the second time: %s", got)
			}
		})
	}
}

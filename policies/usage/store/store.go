// Package store keeps generations in SQLite or PostgreSQL.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strconv"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Store is a database of generations. All methods may be called concurrently, and by
// several processes on one database.
type Store struct {
	db       *sql.DB
	postgres bool
}

// OpenSQLite opens a database in a file, creating it if there is none. Readers do not
// wait for the writer.
func OpenSQLite(ctx context.Context, file string) (*Store, error) {
	query := url.Values{"_pragma": {"journal_mode(WAL)", "synchronous(NORMAL)", "busy_timeout(10000)"}, "_txlock": {"immediate"}}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: file}).EscapedPath()+"?"+query.Encode())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(4)
	return open(ctx, &Store{db: db}, goose.DialectSQLite3)
}

// OpenPostgres opens a database by its connection string, a URL or a list of keywords.
// The error never quotes it: it holds a password.
func OpenPostgres(ctx context.Context, connection string) (*Store, error) {
	db, err := sql.Open("pgx", connection)
	if err != nil {
		return nil, errors.New("ledger: the connection string of PostgreSQL cannot be read")
	}
	db.SetMaxOpenConns(8)
	return open(ctx, &Store{db: db, postgres: true}, goose.DialectPostgres)
}

// open brings the schema up to date. Migrations lead forward only; of several
// processes that start at once, PostgreSQL lets one go first.
func open(ctx context.Context, s *Store, dialect goose.Dialect) (*Store, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	provider, err := goose.NewProvider(dialect, s.db, files)
	if err == nil {
		_, err = provider.Up(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("ledger: the database's schema: %w", err), s.db.Close())
	}
	return s, nil
}

// Close ends the use of the database.
func (s *Store) Close() error { return s.db.Close() }

// query gives the placeholders of a statement, written as question marks, the form
// that the database knows.
func (s *Store) query(text string) string {
	if !s.postgres {
		return text
	}
	var b strings.Builder
	n := 0
	for _, c := range text {
		if c != '?' {
			b.WriteRune(c)
			continue
		}
		n++
		b.WriteString("$" + strconv.Itoa(n))
	}
	return b.String()
}

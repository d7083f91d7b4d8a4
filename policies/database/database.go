// Package database opens the gateway's database, SQLite or PostgreSQL, and brings its
// schema up to date. The ledger and the managed keys are in one.
package database

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
	"sync"
	"time"
	"unicode/utf8"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

//go:embed migrations/*.sql
var migrations embed.FS

// DB is an open database. All methods may be called concurrently, and by several
// processes on one database.
type DB struct {
	*sql.DB
	postgres bool
	kept     sync.Map // *Statement by its text
}

// Statement is one that is used again and again, in transactions. It may be used
// concurrently, and is of no use after its database is closed.
type Statement struct {
	text     string
	prepared *sql.Stmt // nil for PostgreSQL
}

// Keep returns a statement whose placeholders are question marks. It is not to be called
// within a transaction: for SQLite the first call prepares it, on a connection of its own.
// PostgreSQL's driver does so by itself where the connection string does not forbid it,
// as one that leads to a pool of connections may.
func (d *DB) Keep(ctx context.Context, text string) (*Statement, error) {
	if kept, ok := d.kept.Load(text); ok {
		return kept.(*Statement), nil
	}
	s := &Statement{text: d.Rebind(text)}
	if !d.postgres {
		var err error
		if s.prepared, err = d.PrepareContext(ctx, text); err != nil {
			return nil, err
		}
	}
	kept, other := d.kept.LoadOrStore(text, s)
	if other && s.prepared != nil {
		return kept.(*Statement), s.prepared.Close()
	}
	return kept.(*Statement), nil
}

// Query runs the statement in a transaction of its database.
func (s *Statement) Query(ctx context.Context, tx *sql.Tx, values ...any) (*sql.Rows, error) {
	if s.prepared == nil {
		return tx.QueryContext(ctx, s.text, values...)
	}
	return tx.StmtContext(ctx, s.prepared).QueryContext(ctx, values...)
}

// OpenSQLite opens a database in a file, creating it if there is none. Readers do not
// wait for the writer. References hold, as in PostgreSQL.
func OpenSQLite(ctx context.Context, file string) (*DB, error) {
	query := url.Values{"_pragma": {"journal_mode(WAL)", "synchronous(NORMAL)", "busy_timeout(10000)", "foreign_keys(1)"}, "_txlock": {"immediate"}}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: file}).EscapedPath()+"?"+query.Encode())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(4)
	return migrate(ctx, &DB{DB: db}, goose.DialectSQLite3)
}

// OpenPostgres opens a database by its connection string, a URL or a list of keywords.
// The error never quotes it: it holds a password.
func OpenPostgres(ctx context.Context, connection string) (*DB, error) {
	db, err := sql.Open("pgx", connection)
	if err != nil {
		return nil, errors.New("database: the connection string of PostgreSQL cannot be read")
	}
	db.SetMaxOpenConns(8)
	if err := reached(ctx, db); err != nil {
		return nil, errors.Join(fmt.Errorf("database: %w", err), db.Close())
	}
	return migrate(ctx, &DB{DB: db, postgres: true}, goose.DialectPostgres)
}

// connectTimeout bounds how long is waited for a server that may not be there.
const connectTimeout = 30 * time.Second

func reached(ctx context.Context, db *sql.DB) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	return db.PingContext(ctx)
}

// migrate brings the schema up to date. Migrations lead forward only; of several
// processes that start at once on one PostgreSQL, one goes first and the others wait.
func migrate(ctx context.Context, db *DB, dialect goose.Dialect) (*DB, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	options := []goose.ProviderOption{goose.WithGoMigrations(defaultCreated())}
	if db.postgres {
		// As long as a change of the schema may take: see openTimeout.
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, uint64(openTimeout/time.Second)))
		if err != nil {
			return nil, errors.Join(err, db.Close())
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	provider, err := goose.NewProvider(dialect, db.DB, files, options...)
	pending := false
	if err == nil {
		pending, err = provider.HasPending(ctx)
	}
	if err == nil && pending { // else there is nothing to wait for
		_, err = provider.Up(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("database: the schema: %w", err), db.Close())
	}
	return db, nil
}

// Rebind gives the placeholders of a statement, written as question marks, the form
// that the database knows.
func (d *DB) Rebind(text string) string {
	if !d.postgres {
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

// Locking ends a SELECT in a transaction whose rows are to be changed: others wait for
// them. In SQLite they wait for the transaction.
func (d *DB) Locking() string {
	if d.postgres {
		return " FOR UPDATE"
	}
	return ""
}

// Storable is text as PostgreSQL takes it: one row that it refused would hold up all
// that follow.
func Storable(text string) string {
	for i := range len(text) {
		if c := text[i]; c == 0 || c >= utf8.RuneSelf {
			return storable(text)
		}
	}
	return text
}

func storable(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "")
}

// DeletedAtOnce is how many rows one statement of [DB.Delete] deletes: writers wait for it.
const DeletedAtOnce = 1000

// Delete deletes the rows of a table that a condition holds for, and returns how many those
// were, also with an error. The table has a key named id.
func (d *DB) Delete(ctx context.Context, table, where string, values ...any) (deleted int64, err error) {
	text := d.Rebind(`DELETE FROM ` + table + ` WHERE id IN (SELECT id FROM ` + table + ` WHERE ` + where + ` LIMIT ?)`)
	values = append(values, DeletedAtOnce)
	for {
		result, err := d.ExecContext(ctx, text, values...)
		if err != nil {
			return deleted, err
		}
		some, err := result.RowsAffected()
		deleted += some
		if err != nil || some < DeletedAtOnce {
			return deleted, err
		}
	}
}

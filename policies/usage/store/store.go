// Package store keeps generations in SQLite or PostgreSQL.
package store

import (
	"github.com/switchyard/switchyard/policies/database"
	"github.com/switchyard/switchyard/policies/identity"
)

// Store is a database of generations. All methods may be called concurrently, and by
// several processes on one database.
type Store struct {
	db     *database.DB
	sealer identity.Sealer
}

// New returns the generations of a database, which the caller closes. The sealer makes the
// names that end users have in sums: with another secret, what they spent is not found.
func New(db *database.DB, sealer identity.Sealer) *Store { return &Store{db, sealer} }

// query is a statement as the database knows it.
func (s *Store) query(text string) string { return s.db.Rebind(text) }

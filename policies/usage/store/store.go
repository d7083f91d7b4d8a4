// Package store keeps generations in SQLite or PostgreSQL.
package store

import "github.com/switchyard/switchyard/policies/database"

// Store is a database of generations. All methods may be called concurrently, and by
// several processes on one database.
type Store struct{ db *database.DB }

// New returns the generations of a database, which the caller closes.
func New(db *database.DB) *Store { return &Store{db} }

// query is a statement as the database knows it.
func (s *Store) query(text string) string { return s.db.Rebind(text) }

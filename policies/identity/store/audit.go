package store

import (
	"context"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
)

// Entry is one change to be logged. Before and After are written as JSON, nil as
// nothing; they hold no secret.
type Entry struct {
	Action, Target string
	Before, After  any
}

// Logged is an entry of the audit log.
type Logged struct {
	ID        string         `json:"id"` // grows with time
	Created   time.Time      `json:"created_at"`
	ActorHash string         `json:"actor_key_hash"`
	ActorName string         `json:"actor_name"`
	Action    string         `json:"action"` // such as "key.create"
	Target    string         `json:"target"` // the hash of a key
	Before    jsontext.Value `json:"before"` // null for nothing
	After     jsontext.Value `json:"after"`
}

func (t *transaction) log(ctx context.Context, by Actor, entry Entry) error {
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	before, err := text(entry.Before)
	if err != nil {
		return err
	}
	after, err := text(entry.After)
	if err != nil {
		return err
	}
	return t.exec(ctx, `INSERT INTO audit_log (id, created, actor_hash, actor_name, action, target, before, after) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		id.String(), micros(t.now), by.Hash, by.Name, entry.Action, entry.Target, before, after)
}

func text(value any) (string, error) {
	if value == nil {
		return "", nil
	}
	written, err := json.Marshal(value)
	return string(written), err
}

// value is a text that text wrote; nothing is null.
func value(text string) jsontext.Value {
	if text == "" {
		return jsontext.Value("null")
	}
	return jsontext.Value(text)
}

// Audit lists what was changed, the newest first.
func (s *Store) Audit(ctx context.Context, page Page) ([]Logged, error) {
	db, err := s.source.Get(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := db.QueryContext(ctx, db.Rebind(`SELECT id, created, actor_hash, actor_name, action, target, before, after FROM audit_log ORDER BY id DESC LIMIT ? OFFSET ?`), page.Limit, page.Offset)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	logged := []Logged{}
	for rows.Next() {
		var l Logged
		var created int64
		var before, after string
		if err := rows.Scan(&l.ID, &created, &l.ActorHash, &l.ActorName, &l.Action, &l.Target, &before, &after); err != nil {
			return nil, err
		}
		l.Created, l.Before, l.After = instant(created), value(before), value(after)
		logged = append(logged, l)
	}
	return logged, rows.Err()
}

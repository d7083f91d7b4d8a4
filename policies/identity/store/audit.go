package store

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"github.com/switchyard/switchyard/policies/byok"
)

// Entry is one change to be logged. Before and After are written as JSON, nil as
// nothing; they hold no secret, and their members have the names that they have in the API.
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
	Target    string         `json:"target"` // the hash of a key, or an id
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
	return t.exec(ctx, `INSERT INTO audit_log (id, organization_id, created, actor_hash, actor_name, action, target, before, after) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		id.String(), by.Organization, micros(t.now), by.Hash, by.Name, entry.Action, entry.Target, before, after)
}

// ActionRead is that somebody read what was said in a generation.
const ActionRead = "content.read"

// noteReadEvery is how often it is logged that the same key reads the same.
const noteReadEvery = time.Hour

// NoteRead logs that somebody reads what was said in a generation, of which entry.Target is
// the id: once an hour. Gateways read nothing anew for it.
func (s *Store) NoteRead(ctx context.Context, by Actor, entry Entry) error {
	entry.Action = ActionRead
	return s.transact(ctx, func(t *transaction) error {
		n, err := t.count(ctx, `audit_log WHERE action = ? AND id >= ? AND organization_id = ? AND actor_hash = ? AND target = ?`,
			ActionRead, idAt(t.now.Add(-noteReadEvery)), by.Organization, by.Hash, entry.Target)
		if err != nil || n > 0 {
			return err
		}
		return t.log(ctx, by, entry)
	})
}

// idAt is before all ids of entries that are made at a time or later.
func idAt(at time.Time) string {
	var id uuid.UUID // version 7 begins with 48 bits of milliseconds (RFC 9562, section 5.7)
	binary.BigEndian.PutUint64(id[:], uint64(at.UnixMilli())<<16)
	return id.String()
}

// PurgeReads deletes what says who read something before a time, and returns how much that
// was. Who changed what stays.
func (s *Store) PurgeReads(ctx context.Context, before time.Time) (int64, error) {
	db, err := s.source.Get(ctx)
	if err != nil {
		return 0, err
	}
	return db.Delete(ctx, `audit_log`, `action = ? AND id < ?`, ActionRead, idAt(before))
}

// loggedGuardrail is a guardrail by the API's names: there each author has a switch.
func loggedGuardrail(g *Guardrail) any {
	type logged struct {
		*Guardrail
		ByAuthor struct{}        `json:"enforce_zdr,omitzero"` // not the map that is kept
		Switches map[string]bool `json:",embed"`
	}
	switches := make(map[string]bool, len(g.ZDR))
	for author, enforced := range g.ZDR {
		switches["enforce_zdr_"+author] = enforced
	}
	return logged{Guardrail: g, Switches: switches}
}

// loggedAssignees are who was assigned to a guardrail, or no more.
func loggedAssignees(kind Assignee, of []string) any {
	if kind == AssigneeMember {
		return struct {
			Users []string `json:"member_user_ids"`
		}{of}
	}
	return struct {
		Keys []string `json:"key_hashes"`
	}{of}
}

// loggedMembers are who was put into a workspace, or taken out.
type loggedMembers struct {
	Users []string `json:"user_ids"`
}

// loggedOwnKey is an own key by the API's names.
func loggedOwnKey(k *byok.Key) any {
	type logged struct {
		*byok.Key
		DeclaredZDR *bool `json:"declared_zdr,omitzero"`
	}
	l := logged{Key: k}
	if k.Retains {
		l.DeclaredZDR = new(false)
	}
	return l
}

func text(value any) (string, error) {
	if value == nil {
		return "", nil
	}
	written, err := json.Marshal(value, jsontext.AllowInvalidUTF8(true))
	return string(written), err
}

// value is a text that text wrote; nothing is null.
func value(text string) jsontext.Value {
	if text == "" {
		return jsontext.Value("null")
	}
	return jsontext.Value(text)
}

// Audit lists what was changed in an organisation, the newest first.
func (s *Store) Audit(ctx context.Context, organization string, page Page) ([]Logged, error) {
	return list(ctx, s, func(scan func(...any) error) (Logged, error) {
		var l Logged
		var created int64
		var before, after string
		err := scan(&l.ID, &created, &l.ActorHash, &l.ActorName, &l.Action, &l.Target, &before, &after)
		l.Created, l.Before, l.After = instant(created), value(before), value(after)
		return l, err
	}, `SELECT id, created, actor_hash, actor_name, action, target, before, after FROM audit_log WHERE organization_id = ? ORDER BY id DESC LIMIT ? OFFSET ?`,
		organization, page.Limit, page.Offset)
}

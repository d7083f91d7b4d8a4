// Package store keeps managed keys in SQLite or PostgreSQL, with a log of every change.
//
// Requests do not read it: each gateway holds a snapshot of all keys, which a [Watcher]
// replaces when the version in the database has grown.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"time"

	"github.com/switchyard/switchyard/policies/byok"
	"github.com/switchyard/switchyard/policies/database"
	"github.com/switchyard/switchyard/policies/identity"
)

// Why there is no answer, or no change.
var (
	// ErrNone: there is no such thing in the organisation. Of what was named it is a
	// [*NoneError].
	ErrNone = errors.New("not found")
	// ErrTaken: another workspace has the slug, another member the address, or another
	// entry of credits the reference. It is a [*TakenError].
	ErrTaken = errors.New("is taken")
	// ErrRange: an organisation's credits would come to more than can be counted.
	ErrRange = errors.New("come to more than can be counted")
	// ErrInUse: a workspace has keys.
	ErrInUse = errors.New("is in use")
	// ErrDefault: a workspace is the default one.
	ErrDefault = errors.New("is the default workspace")
	// ErrRole: a management key may do more than the member whose it is to be.
	ErrRole = errors.New("may do more than the member whose it is to be")
	// ErrNoMember: the one whose key it is to be is not a member of the workspace.
	ErrNoMember = errors.New("is not a member of the workspace")
	// ErrHeld: a key would be free of the guardrail of its member or workspace.
	ErrHeld = errors.New("is held to a guardrail")
	// ErrMaker: whoever gets a key's secret would be free of the guardrail that they are
	// held to.
	ErrMaker = errors.New("is not held to the guardrail of the member who would have its secret")
	// ErrFull: an organisation has as many guardrails as it may.
	ErrFull = errors.New("are as many as there may be")
	// errUnchanged ends a change that turned out to be none.
	errUnchanged = errors.New("identity: nothing to change")
	// ErrNoVault: there is nothing to encrypt customers' own keys by.
	ErrNoVault = errors.New("byok.encryption_key is not configured")
	// ErrSecret: the keys are not this gateway's. Nothing is read or written then.
	ErrSecret = errors.New("identity: the keys in the database were made with another secret; set identity.secret to the one of the gateway that made them")
)

// Kind is what something is that is kept here.
type Kind string

// The kinds.
const (
	KindKey          Kind = "key"
	KindWorkspace    Kind = "workspace"
	KindMember       Kind = "member"
	KindGuardrail    Kind = "guardrail"
	KindOwnKey       Kind = "own key of a provider"
	KindOrganization Kind = "organization"
)

// NoneError is [ErrNone] of something that was named, by its hash, id or slug.
type NoneError struct {
	Kind  Kind
	Named string
}

func (e *NoneError) Error() string { return fmt.Sprintf("there is no %s %q", e.Kind, e.Named) }

// Is reports whether target is [ErrNone].
func (e *NoneError) Is(target error) bool { return target == ErrNone }

// noneOf says of [ErrNone] what there is none of.
func noneOf(err error, kind Kind, named string) error {
	if err == ErrNone {
		return &NoneError{kind, named}
	}
	return err
}

// TakenError is [ErrTaken] of a value, which another of the kind has as the API's member.
type TakenError struct {
	Kind          Kind
	Member, Value string
}

func (e *TakenError) Error() string {
	return fmt.Sprintf("another %s has the %s %q", e.Kind, e.Member, e.Value)
}

// Is reports whether target is [ErrTaken].
func (e *TakenError) Is(target error) bool { return target == ErrTaken }

// Source opens the database, or tells why it cannot be opened now.
type Source interface {
	Get(ctx context.Context) (*database.DB, error)
}

// Store is the managed keys of a database. All methods may be called concurrently, and
// by several processes on one database.
type Store struct {
	source Source
	sealer identity.Sealer
	vault  atomic.Pointer[byok.Vault] // nil if customers' own keys cannot be kept
}

// New returns the keys of a database, which are sealed by sealer. Customers' own keys of
// providers are encrypted by vault; nil keeps none.
func New(source Source, sealer identity.Sealer, vault *byok.Vault) *Store {
	s := &Store{source: source, sealer: sealer}
	s.UseVault(vault)
	return s
}

// UseVault encrypts customers' own keys by another vault from now on, or keeps none with
// nil. A [Watcher] reads those there are anew.
func (s *Store) UseVault(vault *byok.Vault) { s.vault.Store(vault) }

// Actor is who changes something, in their organisation.
type Actor struct {
	Hash, Name, Organization string
	// Member is the id of the member whose key they come with, "" for nobody's.
	Member string
	// Frees: they may take keys out of guardrails.
	Frees bool
	// TokenEnds is when the token ends of who has that and no key, else zero.
	TokenEnds time.Time
}

// transaction is a change under way.
type transaction struct {
	*sql.Tx
	db  *database.DB
	now time.Time
}

func (t *transaction) exec(ctx context.Context, text string, values ...any) error {
	for i, value := range values {
		if text, ok := value.(string); ok {
			values[i] = database.Storable(text)
		}
	}
	_, err := t.ExecContext(ctx, t.db.Rebind(text), values...)
	return err
}

// change makes a change and its entry in the audit log, both or neither. One change at
// a time is made: the version's row is locked first.
func (s *Store) change(ctx context.Context, by Actor, do func(*transaction) (Entry, error)) error {
	return s.transact(ctx, func(t *transaction) error {
		if err := t.exec(ctx, `UPDATE identity_state SET version = version + 1 WHERE id = 1`); err != nil {
			return err
		}
		t.now = now() // of changes at once, the one that waited is the later one
		if err := s.claim(ctx, t); err != nil {
			return err
		}
		entry, err := do(t)
		if err != nil {
			return err
		}
		return t.log(ctx, by, entry)
	})
}

// Note logs what was done with something that is not kept here. Gateways read nothing anew
// for it.
func (s *Store) Note(ctx context.Context, by Actor, entry Entry) error {
	return s.transact(ctx, func(t *transaction) error { return t.log(ctx, by, entry) })
}

func (s *Store) transact(ctx context.Context, do func(*transaction) error) error {
	db, err := s.source.Get(ctx)
	if err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := do(&transaction{tx, db, now()}); err != nil {
		return err
	}
	return tx.Commit()
}

func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// claim sees to it that the keys are of one secret alone: that of the first change.
func (s *Store) claim(ctx context.Context, t *transaction) error {
	var fingerprint string
	if err := t.QueryRowContext(ctx, `SELECT fingerprint FROM identity_state WHERE id = 1`).Scan(&fingerprint); err != nil {
		return err
	}
	switch fingerprint {
	case "":
		return t.exec(ctx, `UPDATE identity_state SET fingerprint = ? WHERE id = 1`, s.sealer.Fingerprint())
	case s.sealer.Fingerprint():
		return nil
	}
	return ErrSecret
}

// count counts rows within a change.
func (t *transaction) count(ctx context.Context, text string, values ...any) (int, error) {
	var n int
	err := t.QueryRowContext(ctx, t.db.Rebind(`SELECT COUNT(*) FROM `+text), values...).Scan(&n)
	return n, err
}

// ofOrganization is a condition on keys.
const ofOrganization = `workspace_id IN (SELECT id FROM workspaces WHERE organization_id = ?)`

// oneKey reads a key of an organisation.
const oneKey = `SELECT ` + keyColumns + ` FROM api_keys WHERE hash = ? AND ` + ofOrganization

// key reads a key within a change.
func (t *transaction) key(ctx context.Context, by Actor, hash string) (Key, error) {
	k, err := scanKey(t.QueryRowContext(ctx, t.db.Rebind(oneKey), hash, by.Organization).Scan)
	return k, noneOf(err, KindKey, hash)
}

// place sees to it that a key is in a workspace of the organisation, that its member is,
// and that it may do no more than that one.
func (t *transaction) place(ctx context.Context, by Actor, k *Key) error {
	in, err := t.workspace(ctx, by, k.Workspace)
	k.Workspace = in.ID // it may have been named by its slug
	if err != nil || k.Creator == "" {
		return err
	}
	owner, err := t.member(ctx, by, k.Creator)
	enrolled := 0
	if err == nil {
		enrolled, err = t.count(ctx, `workspace_members WHERE workspace_id = ? AND member_id = ?`, in.ID, owner.ID)
	}
	switch {
	case errors.Is(err, ErrNone), err == nil && enrolled == 0 && in.ID != defaultOf(by.Organization):
		return ErrNoMember
	case err == nil && k.Role != "" && !owner.Role.Reaches(k.Role):
		return ErrRole
	}
	return err
}

func scanKey(scan func(...any) error) (Key, error) {
	var k Key
	var r row
	if err := scan(r.fields(&k)...); errors.Is(err, sql.ErrNoRows) {
		return Key{}, ErrNone
	} else if err != nil {
		return Key{}, err
	}
	return k, r.fill(&k)
}

// Create adds a key that plaintext stands for, and returns it. Of k only what a client
// says counts: Hash, Label and the times are made here. The error is [ErrNone] if the
// workspace is not in the actor's organisation, [ErrNoMember], or [ErrMaker].
func (s *Store) Create(ctx context.Context, by Actor, k Key, plaintext string) (Key, error) {
	k.Hash, k.Label = identity.Hash(plaintext), identity.Label(plaintext)
	err := s.change(ctx, by, func(t *transaction) (Entry, error) { return s.addKey(ctx, t, by, &k) })
	return k, err
}

func (s *Store) addKey(ctx context.Context, t *transaction, by Actor, k *Key) (Entry, error) {
	k.Created, k.Updated = t.now, t.now
	if k.Workspace == "" {
		k.Workspace = defaultOf(by.Organization)
	}
	if err := t.place(ctx, by, k); err != nil {
		return Entry{}, err
	}
	if err := t.holdsMaker(ctx, by, k); err != nil {
		return Entry{}, err
	}
	if err := t.exec(ctx, `INSERT INTO api_keys (`+keyColumns+`) VALUES (?`+strings.Repeat(", ?", strings.Count(keyColumns, ","))+`)`, k.values()...); err != nil {
		return Entry{}, err
	}
	if err := t.noteCreator(ctx, k, time.Time{}); err != nil {
		return Entry{}, err
	}
	return Entry{Action: "key.create", Target: k.Hash, After: *k}, s.addSecret(ctx, t, by, k, k.Hash)
}

func (s *Store) addSecret(ctx context.Context, t *transaction, by Actor, k *Key, digest string) error {
	sealed := &identity.Key{Hash: k.Hash, Role: k.Role, Organization: by.Organization}
	return t.exec(ctx, `INSERT INTO key_secrets (digest, seal, key_hash, created, expires) VALUES (?, ?, ?, ?, 0)`,
		digest, s.sealer.Seal(digest, sealed), k.Hash, micros(t.now))
}

// Update changes a key and returns it. The error is [ErrNone], [ErrNoMember], [ErrRole],
// [ErrHeld], or what alter returned, which may refuse. Hash, Role and the times are not
// altered.
func (s *Store) Update(ctx context.Context, by Actor, hash string, alter func(*Key) error) (Key, error) {
	var k Key
	err := s.change(ctx, by, func(t *transaction) (Entry, error) {
		before, err := t.key(ctx, by, hash)
		if err != nil {
			return Entry{}, err
		}
		k = before
		if err := alter(&k); err != nil {
			return Entry{}, err
		}
		k.Hash, k.Role, k.Created, k.Updated = before.Hash, before.Role, before.Created, t.now
		if k.Workspace != before.Workspace || k.Creator != before.Creator || before.Disabled && !k.Disabled {
			if err := t.place(ctx, by, &k); err != nil {
				return Entry{}, err
			}
		}
		if err := t.staysHeld(ctx, by, &before, &k); err != nil {
			return Entry{}, err
		}
		if !k.sameLimit(&before) {
			k.Limited = t.now
		}
		if k.Workspace != before.Workspace {
			k.Joined = t.now
		}
		if k.Creator != before.Creator {
			if err := t.noteCreator(ctx, &k, t.now); err != nil {
				return Entry{}, err
			}
		}
		return Entry{Action: "key.update", Target: hash, Before: before, After: k}, t.saveKey(ctx, &k)
	})
	return k, err
}

// noteCreator keeps whose key it is from now on, for the ledger: what a member spent counts
// for them after the key is gone, or is another's. Zero is since ever.
func (t *transaction) noteCreator(ctx context.Context, k *Key, since time.Time) error {
	if err := t.exec(ctx, `UPDATE key_creators SET until = ? WHERE key_hash = ? AND until > ?`, micros(t.now), k.Hash, micros(t.now)); err != nil || k.Creator == "" {
		return err
	}
	return t.exec(ctx, `INSERT INTO key_creators (key_hash, creator, since, until) VALUES (?, ?, ?, ?) `+
		`ON CONFLICT (key_hash, since) DO UPDATE SET creator = excluded.creator, until = excluded.until`, k.Hash, k.Creator, micros(since), int64(math.MaxInt64))
}

// staysHeld refuses to take a key away from the member or the workspace by whose
// guardrail it is held, but to who may take it out of that.
func (t *transaction) staysHeld(ctx context.Context, by Actor, before, after *Key) error {
	if by.Frees {
		return nil
	}
	held := 0
	if before.Creator != after.Creator {
		n, err := t.countHeld(ctx, before.Creator)
		if err != nil {
			return err
		}
		held += n
	}
	if before.Workspace != after.Workspace {
		n, err := t.count(ctx, `guardrails WHERE id = ?`, DefaultGuardrail(before.Workspace))
		if err != nil {
			return err
		}
		held += n
	}
	if held > 0 {
		return ErrHeld
	}
	return nil
}

// countHeld counts the guardrails that a member is held to.
func (t *transaction) countHeld(ctx context.Context, member string) (int, error) {
	return t.count(ctx, `guardrail_assignments WHERE kind = ? AND assignee = ?`, string(AssigneeMember), member)
}

// holdsMaker refuses to give the secret of a key that is not theirs to a member who is
// held to a guardrail, but to who may take keys out of it: by that key they would be free.
func (t *transaction) holdsMaker(ctx context.Context, by Actor, k *Key) error {
	if by.Frees || by.Member == "" || k.Creator == by.Member {
		return nil
	}
	held, err := t.countHeld(ctx, by.Member)
	if err == nil && held > 0 {
		err = ErrMaker
	}
	return err
}

func (t *transaction) saveKey(ctx context.Context, k *Key) error {
	return t.exec(ctx, `UPDATE api_keys SET name = ?, label = ?, role = ?, disabled = ?, spend_limit = ?, limit_reset = ?, include_byok = ?, store_content = ?, creator = ?, workspace_id = ?, models = ?, providers = ?, ips = ?, `+
		`created = ?, updated = ?, expires = ?, limited = ?, joined = ? WHERE hash = ?`, append(k.values()[1:], k.Hash)...)
}

// disableKeys disables the keys that meet a condition, and logs each.
func (t *transaction) disableKeys(ctx context.Context, by Actor, where string, values ...any) error {
	rows, err := t.QueryContext(ctx, t.db.Rebind(`SELECT `+keyColumns+` FROM api_keys WHERE disabled = ? AND `+where+` ORDER BY hash`), append([]any{false}, values...)...)
	if err != nil {
		return err
	}
	keys, err := readAll(rows, scanKey)
	if err != nil {
		return err
	}
	for _, before := range keys {
		k := before
		k.Disabled, k.Updated = true, t.now
		if err := t.saveKey(ctx, &k); err != nil {
			return err
		}
		if err := t.log(ctx, by, Entry{Action: "key.update", Target: k.Hash, Before: before, After: k}); err != nil {
			return err
		}
	}
	return nil
}

// Delete removes a key. The error is [ErrNone], or what refuse returned of the key.
func (s *Store) Delete(ctx context.Context, by Actor, hash string, refuse func(*Key) error) error {
	return s.change(ctx, by, func(t *transaction) (Entry, error) {
		k, err := t.key(ctx, by, hash)
		if err == nil {
			err = refuse(&k)
		}
		if err == nil {
			err = t.exec(ctx, `DELETE FROM key_secrets WHERE key_hash = ?`, hash)
		}
		if err == nil {
			err = t.exec(ctx, `DELETE FROM guardrail_assignments WHERE kind = ? AND assignee = ?`, string(AssigneeKey), hash)
		}
		if err == nil {
			err = t.exec(ctx, `DELETE FROM api_keys WHERE hash = ?`, hash)
		}
		return Entry{Action: "key.delete", Target: hash, Before: k}, err
	})
}

// Rotate gives a key a new secret, plaintext. The secrets before it are good until
// overlap has passed, if they were good that long. The error is [ErrNone], [ErrMaker], or
// what refuse returned of the key.
func (s *Store) Rotate(ctx context.Context, by Actor, hash, plaintext string, overlap time.Duration, refuse func(*Key) error) (k Key, previousExpires time.Time, err error) {
	err = s.change(ctx, by, func(t *transaction) (Entry, error) {
		before, err := t.key(ctx, by, hash)
		if err == nil {
			err = refuse(&before)
		}
		if err == nil {
			err = t.holdsMaker(ctx, by, &before)
		}
		if err != nil {
			return Entry{}, err
		}
		previousExpires = t.now.Add(overlap)
		k = before
		k.Label, k.Updated = identity.Label(plaintext), t.now
		for _, step := range []func() error{
			func() error {
				return t.exec(ctx, `DELETE FROM key_secrets WHERE key_hash = ? AND expires > 0 AND expires <= ?`, hash, micros(t.now))
			},
			func() error {
				return t.exec(ctx, `UPDATE key_secrets SET expires = ? WHERE key_hash = ? AND (expires = 0 OR expires > ?)`, micros(previousExpires), hash, micros(previousExpires))
			},
			func() error { return s.addSecret(ctx, t, by, &k, identity.Hash(plaintext)) },
			func() error { return t.saveKey(ctx, &k) },
		} {
			if err := step(); err != nil {
				return Entry{}, err
			}
		}
		return Entry{Action: "key.rotate", Target: hash, Before: before, After: k}, nil
	})
	return k, previousExpires, err
}

// Key returns a key of an organisation, or [ErrNone].
func (s *Store) Key(ctx context.Context, organization, hash string) (Key, error) {
	db, err := s.source.Get(ctx)
	if err != nil {
		return Key{}, err
	}
	k, err := scanKey(db.QueryRowContext(ctx, db.Rebind(oneKey), hash, organization).Scan)
	return k, noneOf(err, KindKey, hash)
}

// Page is a part of a list, the newest first.
type Page struct {
	Offset, Limit int
	// Disabled keys are listed too.
	Disabled bool
	// Workspace is the one whose keys are listed, "" for all.
	Workspace string
}

// Keys lists keys of an organisation.
func (s *Store) Keys(ctx context.Context, organization string, page Page) ([]Key, error) {
	return list(ctx, s, scanKey, `SELECT `+keyColumns+` FROM api_keys WHERE (disabled = ? OR ?) AND (workspace_id = ? OR ? = '') AND `+ofOrganization+` ORDER BY created DESC, hash LIMIT ? OFFSET ?`,
		false, page.Disabled, page.Workspace, page.Workspace, organization, page.Limit, page.Offset)
}

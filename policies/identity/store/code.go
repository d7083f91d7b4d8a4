package store

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"database/sql"
	"errors"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/policies/database"
	"github.com/switchyard/switchyard/policies/identity"
)

// CodeLife is how long a code can be exchanged for a key (spec section 1.4).
const CodeLife = 10 * time.Minute

// Challenge is what whoever exchanges a code has to answer (RFC 7636).
type Challenge struct {
	// Text is the code challenge, "" for none; Method is "S256" or "plain".
	Text, Method string
}

// codeTerms is what the column terms holds: the key that is to be made.
type codeTerms struct {
	Key
	// ByToken: who made the code had no key, but a token, which the code does not outlive.
	ByToken bool `json:"by_token,omitzero"`
}

// CreateCode makes a code that can be exchanged once for a key on some terms: Name,
// Limit, Reset, ExpiresAt and Workspace. The error is [ErrNone] if the workspace is not
// in the actor's organisation.
func (s *Store) CreateCode(ctx context.Context, by Actor, terms Key, challenge Challenge) (code string, created time.Time, err error) {
	code = rand.Text()
	err = s.change(ctx, by, func(t *transaction) (Entry, error) {
		created = t.now
		if terms.Workspace == "" {
			terms.Workspace = defaultOf(by.Organization)
		}
		if err := t.place(ctx, by, &terms); err != nil {
			return Entry{}, err
		}
		text, err := json.Marshal(codeTerms{terms, !by.TokenEnds.IsZero()}, jsontext.AllowInvalidUTF8(true))
		if err != nil {
			return Entry{}, err
		}
		if err := t.exec(ctx, `DELETE FROM auth_codes WHERE expires <= ?`, micros(t.now)); err != nil {
			return Entry{}, err
		}
		by.Name = database.Storable(by.Name) // it is sealed as it will be read
		expires := t.now.Add(CodeLife)
		if !by.TokenEnds.IsZero() && by.TokenEnds.Before(expires) {
			expires = by.TokenEnds
		}
		row := codeRow{by, database.Storable(string(text)), challenge, micros(expires)}
		digest := identity.Hash(code)
		return Entry{Action: "auth_code.create", Target: digest, After: terms},
			t.exec(ctx, `INSERT INTO auth_codes (digest, seal, organization_id, actor_hash, actor_name, terms, challenge, method, expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
				digest, row.seal(s.sealer, digest), by.Organization, by.Hash, by.Name, row.terms, challenge.Text, challenge.Method, row.expires)
	})
	return code, created, err
}

// codeRow is what is kept with a code.
type codeRow struct {
	by        Actor
	terms     string
	challenge Challenge
	expires   int64
}

func (r *codeRow) seal(by identity.Sealer, digest string) string {
	return by.SealCode(digest, r.by.Organization, r.by.Hash, r.by.Name, r.terms, r.challenge.Text, r.challenge.Method, strconv.FormatInt(r.expires, 10))
}

// ExchangeCode makes the key that a code stands for, which plaintext is to authenticate.
// The error is [ErrNone] if there is no such code any more, or whoever made it may make no
// keys now, or what check returns of its challenge; a code whose challenge was not met
// stays. configured tells of the hash of a key that is not managed whether it may make
// keys.
func (s *Store) ExchangeCode(ctx context.Context, code, plaintext string, configured func(hash string) bool, check func(Challenge) error) (Key, error) {
	digest := identity.Hash(code)
	row, err := s.code(ctx, digest)
	if err != nil {
		return Key{}, err
	}
	var k Key
	err = s.change(ctx, row.by, func(t *transaction) (Entry, error) {
		// Of several who exchange it at once, one deletes it.
		gone, err := t.ExecContext(ctx, t.db.Rebind(`DELETE FROM auth_codes WHERE digest = ? AND expires > ?`), digest, micros(t.now))
		if err != nil {
			return Entry{}, err
		}
		if n, err := gone.RowsAffected(); err != nil || n == 0 {
			return Entry{}, errors.Join(ErrNone, err)
		}
		if err := check(row.challenge); err != nil {
			return Entry{}, err
		}
		var terms codeTerms
		if err := json.Unmarshal([]byte(row.terms), &terms); err != nil {
			return Entry{}, err
		}
		if may, err := t.mayMakeKeys(ctx, row.by, configured); err != nil || !may && !terms.ByToken {
			return Entry{}, errors.Join(ErrNone, err)
		}
		k = terms.Key
		k.Hash, k.Label = identity.Hash(plaintext), identity.Label(plaintext)
		return s.addKey(ctx, t, row.by, &k)
	})
	return k, err
}

// mayMakeKeys reports whether an actor's key is still there, and may still make keys.
func (t *transaction) mayMakeKeys(ctx context.Context, by Actor, configured func(hash string) bool) (bool, error) {
	maker, err := t.key(ctx, by, by.Hash)
	switch {
	case errors.Is(err, ErrNone):
		return configured(by.Hash), nil
	case err != nil:
		return false, err
	}
	expired := !maker.ExpiresAt.IsZero() && !t.now.Before(maker.ExpiresAt)
	return !maker.Disabled && !expired && maker.Role.May(identity.WriteKeys), nil
}

// code reads what is kept with a code. One that no gateway with this one's secret put
// there is none.
func (s *Store) code(ctx context.Context, digest string) (codeRow, error) {
	var row codeRow
	db, err := s.source.Get(ctx)
	if err != nil {
		return row, err
	}
	var seal string
	err = db.QueryRowContext(ctx, db.Rebind(`SELECT seal, organization_id, actor_hash, actor_name, terms, challenge, method, expires FROM auth_codes WHERE digest = ?`), digest).
		Scan(&seal, &row.by.Organization, &row.by.Hash, &row.by.Name, &row.terms, &row.challenge.Text, &row.challenge.Method, &row.expires)
	if errors.Is(err, sql.ErrNoRows) || err == nil && !hmac.Equal([]byte(seal), []byte(row.seal(s.sealer, digest))) {
		return row, ErrNone
	}
	return row, err
}

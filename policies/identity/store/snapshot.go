package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/switchyard/switchyard/policies/byok"
	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/money"
)

// Snapshot is all keys at one time.
type Snapshot struct {
	// Version is that of the newest change in it, if not of an older one.
	Version     int64
	Credentials []identity.Credential
	// Used: a key was made once, whether it is still there or not.
	Used bool
	// Credits are what organisations were given to spend, by their id; one that is not
	// there spends without bound. Budgets are those of workspaces, by their id.
	Credits map[string]money.USD
	Budgets map[string][]identity.Budget
	Guarded Guarded
	// Forged is how many secrets in the database no gateway with this one's secret put
	// there. They are left out.
	Forged int
	// OwnKeys are customers' own keys of providers.
	OwnKeys []byok.Key
	// Unreadable is why some of it is not as it is in the database: what is damaged, or
	// said in the words of another version. Of guardrails, budgets and credits it lets
	// nobody pass who is held to them; own keys are left out, as those that do not open
	// with the vault's keys. The rest holds, above all that keys are gone.
	Unreadable []error
}

// Version grows with every change.
func (s *Store) Version(ctx context.Context) (int64, error) {
	version, _, err := s.state(ctx)
	return version, err
}

func (s *Store) state(ctx context.Context) (version int64, fingerprint string, err error) {
	db, err := s.source.Get(ctx)
	if err != nil {
		return 0, "", err
	}
	err = db.QueryRowContext(ctx, `SELECT version, fingerprint FROM identity_state WHERE id = 1`).Scan(&version, &fingerprint)
	return version, fingerprint, err
}

// Load reads all keys. The version is read first: what changes meanwhile is read again.
// The error is [ErrSecret], or the database's: a row that cannot be read is none.
func (s *Store) Load(ctx context.Context) (Snapshot, error) {
	version, fingerprint, err := s.state(ctx)
	if err != nil {
		return Snapshot{}, err
	}
	if fingerprint != "" && fingerprint != s.sealer.Fingerprint() {
		return Snapshot{}, ErrSecret
	}
	db, err := s.source.Get(ctx)
	if err != nil {
		return Snapshot{}, err
	}
	now := micros(time.Now())
	rows, err := db.QueryContext(ctx, db.Rebind(`SELECT k.`+strings.ReplaceAll(keyColumns, ", ", ", k.")+`, s.digest, s.seal, s.expires, w.id, w.organization_id, w.default_text_model, w.default_sort `+
		`FROM key_secrets s JOIN api_keys k ON k.hash = s.key_hash JOIN workspaces w ON w.id = k.workspace_id WHERE s.expires = 0 OR s.expires > ?`), now)
	if err != nil {
		return Snapshot{}, err
	}
	defer rows.Close()
	snapshot := Snapshot{Version: version, Used: fingerprint != ""}
	for rows.Next() {
		var k Key
		var r row
		var digest, seal string
		var expires int64
		var in Workspace
		if err := rows.Scan(append(r.fields(&k), &digest, &seal, &expires, &in.ID, &in.Organization, &in.DefaultTextModel, &in.DefaultSort)...); err != nil {
			snapshot.Forged++
			continue
		}
		hashed, unreadable := identity.ParseDigest(digest)
		if unreadable != nil || r.fill(&k) != nil {
			snapshot.Forged++
			continue
		}
		key, err := k.known(&in, instant(expires))
		if err != nil || !s.sealer.Fits(seal, digest, key) {
			snapshot.Forged++
			continue
		}
		snapshot.Credentials = append(snapshot.Credentials, identity.Credential{Digest: hashed, Key: key})
	}
	if err := rows.Err(); err != nil {
		return Snapshot{}, err
	}
	for _, read := range []func(context.Context, *Snapshot) error{s.readCredits, s.readBudgets, s.readGuarded, s.readOwnKeys} {
		if err := read(ctx, &snapshot); err != nil {
			return Snapshot{}, err
		}
	}
	return snapshot, nil
}

// unreadable notes what is not as it is in the database.
func (s *Snapshot) unreadable(kind, id string, err error) {
	s.Unreadable = append(s.Unreadable, fmt.Errorf("%s %s: %w", kind, id, err))
}

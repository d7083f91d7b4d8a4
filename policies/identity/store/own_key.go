package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"github.com/switchyard/switchyard/policies/byok"
	"github.com/switchyard/switchyard/policies/catalog"
)

const ownKeyColumns = `id, organization_id, workspace_id, provider, name, label, disabled, fallback, exclusive, required, retains, sort_order, models, key_hashes, users, creator, created, updated`

// oneOwnKey reads an own key of an organisation.
const oneOwnKey = `SELECT ` + ownKeyColumns + ` FROM own_keys WHERE id = ? AND organization_id = ?`

func scanOwnKey(scan func(...any) error) (byok.Key, error) {
	return scanSealed(scan, nil)
}

// scanSealed reads a key, and its encrypted credential if sealed is not nil.
func scanSealed(scan func(...any) error, sealed *string) (byok.Key, error) {
	var k byok.Key
	var models, hashes, users string
	var created, updated int64
	into := []any{
		&k.ID, &k.Organization, &k.Workspace, &k.Provider, &k.Name, &k.Label, &k.Disabled, &k.Fallback, &k.Exclusive, &k.Required, &k.Retains, &k.Order,
		&models, &hashes, &users, &k.Creator, &created, &updated,
	}
	if sealed != nil {
		into = append(into, sealed)
	}
	if err := scan(into...); errors.Is(err, sql.ErrNoRows) {
		return byok.Key{}, ErrNone
	} else if err != nil {
		return byok.Key{ID: k.ID}, err
	}
	k.Created, k.Updated = instant(created), instant(updated)
	return k, errors.Join(
		json.Unmarshal([]byte(models), &k.Models),
		json.Unmarshal([]byte(hashes), &k.KeyHashes),
		json.Unmarshal([]byte(users), &k.Users),
	)
}

func placeOf(k *byok.Key) byok.Place {
	return byok.Place{ID: k.ID, Organization: k.Organization, Provider: k.Provider}
}

// readOwnKeys reads all own keys with their credentials. Those that do not open are left
// out.
func (s *Store) readOwnKeys(ctx context.Context, into *Snapshot) error {
	vault := s.vault.Load()
	_, err := list(ctx, s, func(scan func(...any) error) (struct{}, error) {
		var sealed, credential string
		k, err := scanSealed(scan, &sealed)
		switch {
		case err == nil && vault == nil:
			err = ErrNoVault
		case err == nil:
			credential, err = vault.Open(placeOf(&k), sealed)
		}
		if err != nil {
			into.unreadable("own key", k.ID, err)
			return struct{}{}, nil
		}
		k.Credential = catalog.NewCredential(credential)
		into.OwnKeys = append(into.OwnKeys, k)
		return struct{}{}, nil
	}, `SELECT `+ownKeyColumns+`, sealed FROM own_keys`)
	return err
}

// OwnKey returns a customer's own key without its credential, or [ErrNone].
func (s *Store) OwnKey(ctx context.Context, organization, id string) (byok.Key, error) {
	db, err := s.source.Get(ctx)
	if err != nil {
		return byok.Key{}, err
	}
	k, err := scanOwnKey(db.QueryRowContext(ctx, db.Rebind(oneOwnKey), id, organization).Scan)
	return k, noneOf(err, KindOwnKey, id)
}

// ownKey reads an own key within a change.
func (t *transaction) ownKey(ctx context.Context, by Actor, id string) (byok.Key, error) {
	k, err := scanOwnKey(t.QueryRowContext(ctx, t.db.Rebind(oneOwnKey), id, by.Organization).Scan)
	return k, noneOf(err, KindOwnKey, id)
}

// OwnKeys lists those of an organisation that a workspace may use, of one provider or
// with "" of all, in the order in which they are tried.
func (s *Store) OwnKeys(ctx context.Context, organization, workspace, provider string) ([]byok.Key, error) {
	return list(ctx, s, scanOwnKey, `SELECT `+ownKeyColumns+` FROM own_keys WHERE organization_id = ? AND (workspace_id = ? OR workspace_id = '') AND (provider = ? OR ? = '') ORDER BY provider, sort_order, created, id`,
		organization, workspace, provider, provider)
}

// CreateOwnKey adds a customer's own key with its credential; id and times are made here,
// and the order, the last, if k has a negative one. The error is [ErrNoVault], or
// [ErrNone] if the workspace is not in the actor's organisation.
func (s *Store) CreateOwnKey(ctx context.Context, by Actor, k byok.Key) (byok.Key, error) {
	vault := s.vault.Load()
	if vault == nil {
		return byok.Key{}, ErrNoVault
	}
	k.ID, k.Organization, k.Creator = uuid.NewString(), by.Organization, by.Hash
	err := s.change(ctx, by, func(t *transaction) (Entry, error) {
		k.Created, k.Updated = t.now, t.now
		if err := t.placeOwnKey(ctx, by, &k); err != nil {
			return Entry{}, err
		}
		if k.Order < 0 {
			if err := t.QueryRowContext(ctx, t.db.Rebind(`SELECT COALESCE(MAX(sort_order) + 1, 0) FROM own_keys WHERE organization_id = ? AND provider = ?`), k.Organization, k.Provider).Scan(&k.Order); err != nil {
				return Entry{}, err
			}
		}
		return Entry{Action: "byok.create", Target: k.ID, After: loggedOwnKey(&k)}, t.insertOwnKey(ctx, vault, &k)
	})
	return k, err
}

// placeOwnKey sees to it that the key is for a workspace of the organisation, or for all.
func (t *transaction) placeOwnKey(ctx context.Context, by Actor, k *byok.Key) error {
	if k.Workspace == "" {
		return nil
	}
	in, err := t.workspace(ctx, by, k.Workspace)
	k.Workspace = in.ID // it may have been named by its slug
	return err
}

func (t *transaction) insertOwnKey(ctx context.Context, vault *byok.Vault, k *byok.Key) error {
	credential, _ := k.Credential.Reveal()
	return t.exec(ctx, `INSERT INTO own_keys (`+ownKeyColumns+`, sealed) VALUES (?`+strings.Repeat(", ?", strings.Count(ownKeyColumns, ",")+1)+`)`,
		k.ID, k.Organization, k.Workspace, k.Provider, k.Name, k.Label, k.Disabled, k.Fallback, k.Exclusive, k.Required, k.Retains, k.Order,
		listed(k.Models), listed(k.KeyHashes), listed(k.Users), k.Creator, micros(k.Created), micros(k.Updated), vault.Seal(placeOf(k), credential))
}

// UpdateOwnKey changes an own key and returns it. alter finds no credential in it, and
// may give it a new one. The error is [ErrNone], [ErrNoVault], or what alter returned.
func (s *Store) UpdateOwnKey(ctx context.Context, by Actor, id string, alter func(*byok.Key) error) (byok.Key, error) {
	vault := s.vault.Load()
	if vault == nil {
		return byok.Key{}, ErrNoVault
	}
	var k byok.Key
	err := s.change(ctx, by, func(t *transaction) (Entry, error) {
		before, err := t.ownKey(ctx, by, id)
		if err != nil {
			return Entry{}, err
		}
		k = before
		if err := alter(&k); err != nil {
			return Entry{}, err
		}
		k.ID, k.Organization, k.Workspace, k.Provider, k.Creator, k.Created, k.Updated = before.ID, before.Organization, before.Workspace, before.Provider, before.Creator, before.Created, t.now
		action := "byok.update"
		if credential, given := k.Credential.Reveal(); given {
			action = "byok.rotate"
			if err := t.exec(ctx, `UPDATE own_keys SET sealed = ? WHERE id = ?`, vault.Seal(placeOf(&k), credential), k.ID); err != nil {
				return Entry{}, err
			}
		}
		return Entry{Action: action, Target: k.ID, Before: loggedOwnKey(&before), After: loggedOwnKey(&k)},
			t.exec(ctx, `UPDATE own_keys SET name = ?, label = ?, disabled = ?, fallback = ?, exclusive = ?, required = ?, retains = ?, sort_order = ?, models = ?, key_hashes = ?, users = ?, updated = ? WHERE id = ?`,
				k.Name, k.Label, k.Disabled, k.Fallback, k.Exclusive, k.Required, k.Retains, k.Order, listed(k.Models), listed(k.KeyHashes), listed(k.Users), micros(k.Updated), k.ID)
	})
	return k, err
}

// DeleteOwnKey removes an own key, credential and all. The error is [ErrNone].
func (s *Store) DeleteOwnKey(ctx context.Context, by Actor, id string) error {
	return s.change(ctx, by, func(t *transaction) (Entry, error) {
		k, err := t.ownKey(ctx, by, id)
		if err == nil {
			err = t.exec(ctx, `DELETE FROM own_keys WHERE id = ?`, id)
		}
		return Entry{Action: "byok.delete", Target: id, Before: loggedOwnKey(&k)}, err
	})
}

// ResealOwnKeys encrypts anew what the previous secret of the vault encrypted, in every
// organisation, and returns how much that was. What does not open stays as it is.
func (s *Store) ResealOwnKeys(ctx context.Context, by Actor) (resealed int, err error) {
	vault := s.vault.Load()
	if vault == nil {
		return 0, ErrNoVault
	}
	type old struct {
		key    byok.Key
		sealed string
	}
	err = s.change(ctx, by, func(t *transaction) (Entry, error) {
		rows, err := t.QueryContext(ctx, `SELECT `+ownKeyColumns+`, sealed FROM own_keys`)
		if err != nil {
			return Entry{}, err
		}
		defer rows.Close()
		var all []old
		for rows.Next() {
			var each old
			if each.key, err = scanSealed(rows.Scan, &each.sealed); err != nil {
				return Entry{}, err
			}
			all = append(all, each)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return Entry{}, err
		}
		for _, each := range all {
			credential, err := vault.Open(placeOf(&each.key), each.sealed)
			if err != nil || vault.Current(each.sealed) {
				continue
			}
			if err := t.exec(ctx, `UPDATE own_keys SET sealed = ? WHERE id = ?`, vault.Seal(placeOf(&each.key), credential), each.key.ID); err != nil {
				return Entry{}, err
			}
			resealed++
		}
		return Entry{Action: "byok.reseal", Target: by.Organization}, nil
	})
	return resealed, err
}

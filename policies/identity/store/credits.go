package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/switchyard/switchyard/policies/money"
)

// CreditEntry is what an organisation was given to spend, or what was taken back.
type CreditEntry struct {
	ID           string `json:"id"`
	Organization string `json:"organization_id"`
	// Amount is in US dollars; a negative one takes back.
	Amount money.USD `json:"amount"`
	// Reference is the client's own name of the entry, such as an invoice's number, ""
	// for none. No other entry of the organisation has it.
	Reference string    `json:"reference,omitempty"`
	Note      string    `json:"note,omitempty"`
	Actor     string    `json:"created_by"` // hash of a key
	Created   time.Time `json:"created_at"`
}

const creditColumns = `id, organization_id, amount, reference, note, actor_hash, created`

func scanCredit(scan func(...any) error) (CreditEntry, error) {
	var e CreditEntry
	var created int64
	err := scan(&e.ID, &e.Organization, &e.Amount, &e.Reference, &e.Note, &e.Actor, &created)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNone
	}
	e.Created = instant(created)
	return e, err
}

// AddCredits gives credits to an organisation, whose first entry ends that it spends
// without bound. An entry whose reference is there already is not made again: added is
// false, and it is returned if its amount is the same. The error is [ErrNone] of the
// organisation, [ErrTaken] of the reference, or [ErrRange] of what all come to.
func (s *Store) AddCredits(ctx context.Context, by Actor, e CreditEntry) (entry CreditEntry, added bool, err error) {
	by.Organization = e.Organization // in whose audit log it is
	err = s.change(ctx, by, func(t *transaction) (Entry, error) {
		n, err := t.count(ctx, `organizations WHERE id = ?`, e.Organization)
		if err == nil && n == 0 {
			err = &NoneError{KindOrganization, e.Organization}
		}
		if err != nil {
			return Entry{}, err
		}
		if e.Reference != "" {
			entry, err = scanCredit(t.QueryRowContext(ctx, t.db.Rebind(`SELECT `+creditColumns+` FROM credit_entries WHERE organization_id = ? AND reference = ?`), e.Organization, e.Reference).Scan)
			switch {
			case err == nil && entry.Amount != e.Amount:
				return Entry{}, &TakenError{"entry", "reference", e.Reference}
			case err == nil:
				return Entry{}, errUnchanged
			case !errors.Is(err, ErrNone):
				return Entry{}, err
			}
		}
		if err := t.creditsFit(ctx, &e); err != nil {
			return Entry{}, err
		}
		logged, err := t.addCredits(ctx, by, &e)
		entry, added = e, true
		return logged, err
	})
	if errors.Is(err, errUnchanged) {
		err = nil
	}
	return entry, added, err
}

// creditsFit refuses an entry with which an organisation's come to more than an amount
// can be.
func (t *transaction) creditsFit(ctx context.Context, e *CreditEntry) error {
	rows, err := t.QueryContext(ctx, t.db.Rebind(`SELECT amount FROM credit_entries WHERE organization_id = ?`), e.Organization)
	if err != nil {
		return err
	}
	defer rows.Close()
	var total money.Sum
	total.Add(e.Amount)
	for rows.Next() {
		var amount money.USD
		if err := rows.Scan(&amount); err != nil {
			return err
		}
		total.Add(amount)
	}
	if _, fits := total.USD(); !fits {
		return ErrRange
	}
	return rows.Err()
}

func (t *transaction) addCredits(ctx context.Context, by Actor, e *CreditEntry) (Entry, error) {
	e.ID, e.Actor, e.Created = uuid.NewString(), by.Hash, t.now
	return Entry{Action: "credits.add", Target: e.Organization, After: e},
		t.exec(ctx, `INSERT INTO credit_entries (`+creditColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			e.ID, e.Organization, int64(e.Amount), e.Reference, e.Note, e.Actor, micros(e.Created))
}

// CreditEntries lists an organisation's, the newest first.
func (s *Store) CreditEntries(ctx context.Context, organization string) ([]CreditEntry, error) {
	return list(ctx, s, scanCredit, `SELECT `+creditColumns+` FROM credit_entries WHERE organization_id = ? ORDER BY created DESC, id`, organization)
}

// readCredits reads what organisations were given, of those that were given any. It is added
// up here: a sum in SQL fails beyond the range, and all keys with it. With an entry that
// cannot be read they were given nothing.
func (s *Store) readCredits(ctx context.Context, into *Snapshot) error {
	sums := make(map[string]money.Sum)
	var damaged []string
	_, err := list(ctx, s, func(scan func(...any) error) (struct{}, error) {
		var organization string
		var amount money.USD
		if err := scan(&organization, &amount); err != nil {
			into.unreadable("credits of organization", organization, err)
			damaged = append(damaged, organization)
			return struct{}{}, nil
		}
		sum := sums[organization]
		sum.Add(amount)
		sums[organization] = sum
		return struct{}{}, nil
	}, `SELECT organization_id, amount FROM credit_entries`)
	into.Credits = make(map[string]money.USD, len(sums))
	for organization, sum := range sums {
		into.Credits[organization], _ = sum.USD()
	}
	for _, organization := range damaged {
		into.Credits[organization] = 0
	}
	return err
}

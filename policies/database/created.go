package database

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
)

// defaultCreated gives the default organisation and workspace, which the schema itself has
// made at no time, that of the first change or generation that is known, or else now. SQL
// that both databases understand has no words for now.
func defaultCreated() *goose.Migration {
	up := func(ctx context.Context, tx *sql.Tx) error {
		var created int64
		err := tx.QueryRowContext(ctx, `SELECT COALESCE(MIN(created), 0) FROM (SELECT MIN(created) AS created FROM audit_log UNION ALL SELECT MIN(created) FROM generations) known`).Scan(&created)
		if err != nil {
			return err
		}
		if created == 0 {
			created = time.Now().UnixMicro()
		}
		for _, statement := range []string{
			`UPDATE organizations SET created = ? WHERE created = 0`,
			`UPDATE workspaces SET created = ? WHERE created = 0`,
			`UPDATE workspaces SET updated = created WHERE updated = 0`,
		} {
			if _, err := tx.ExecContext(ctx, strings.ReplaceAll(statement, "?", strconv.FormatInt(created, 10))); err != nil {
				return err
			}
		}
		return nil
	}
	return goose.NewGoMigration(15, &goose.GoFunc{RunTx: up}, nil)
}

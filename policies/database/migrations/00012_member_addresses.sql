-- +goose Up
-- The address in lower case, as Go has it: SQLite knows that of ASCII alone.
ALTER TABLE members ADD COLUMN email_lowered TEXT NOT NULL DEFAULT '';
UPDATE members SET email_lowered = LOWER(email);
CREATE INDEX members_email ON members (organization_id, email_lowered);

-- +goose Down
DROP INDEX members_email;
ALTER TABLE members DROP COLUMN email_lowered;

-- +goose Up
-- Whether a workspace's budgets count what providers bill own keys.
ALTER TABLE workspaces ADD COLUMN include_byok BOOLEAN NOT NULL DEFAULT FALSE;

-- +goose Down
ALTER TABLE workspaces DROP COLUMN include_byok;

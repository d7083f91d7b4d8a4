-- +goose Up
-- Whether a workspace's budgets count what providers bill own keys.
ALTER TABLE workspaces ADD COLUMN include_byok BOOLEAN NOT NULL DEFAULT FALSE;
-- Whether what is said with a key is kept.
ALTER TABLE api_keys ADD COLUMN store_content BOOLEAN NOT NULL DEFAULT FALSE;

-- +goose Down
ALTER TABLE api_keys DROP COLUMN store_content;
ALTER TABLE workspaces DROP COLUMN include_byok;

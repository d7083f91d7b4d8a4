-- +goose Up
-- When the key came into its workspace, 0 if it was made there: since then it has the
-- budget of the workspace's default guardrail. The column limited is of its own limit alone.
ALTER TABLE api_keys ADD COLUMN joined BIGINT NOT NULL DEFAULT 0;
UPDATE api_keys SET joined = limited;

-- +goose Down
ALTER TABLE api_keys DROP COLUMN joined;

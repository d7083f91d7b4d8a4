-- Rows from before are the default workspace's, and say nothing of what was cached
-- except in their attempts.

-- +goose Up
ALTER TABLE generations ADD COLUMN cached_tokens BIGINT NOT NULL DEFAULT 0;
ALTER TABLE generations ADD COLUMN workspace_id TEXT NOT NULL DEFAULT 'default';

-- +goose Down
ALTER TABLE generations DROP COLUMN workspace_id;
ALTER TABLE generations DROP COLUMN cached_tokens;

-- Rows from before say nothing of what was cached, except in their attempts.

-- +goose Up
ALTER TABLE generations ADD COLUMN cached_tokens BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE generations DROP COLUMN cached_tokens;

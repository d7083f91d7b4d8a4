-- The generation whose answer was given once more, '' where a provider answered.

-- +goose Up
ALTER TABLE generations ADD COLUMN response_cache_source_id TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE generations DROP COLUMN response_cache_source_id;

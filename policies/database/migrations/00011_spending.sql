-- +goose Up
-- When the limit was last set otherwise than in its amount, or the key came into its
-- workspace; 0 for never since it was made. What counts for a limit begins anew then.
ALTER TABLE api_keys ADD COLUMN limited BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE api_keys DROP COLUMN limited;

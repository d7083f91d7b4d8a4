-- +goose Up
-- When the limit was last set otherwise than in its amount, or the key came into its
-- workspace; 0 for never since it was made. What counts for a limit begins anew then.
ALTER TABLE api_keys ADD COLUMN limited BIGINT NOT NULL DEFAULT 0;

-- Whose keys were whose, and when. It outlives the keys: what they spent counts still.
CREATE TABLE key_creators (
    key_hash TEXT   NOT NULL,
    creator  TEXT   NOT NULL, -- a member
    since    BIGINT NOT NULL, -- 0 from the beginning
    until    BIGINT NOT NULL, -- itself excluded
    PRIMARY KEY (key_hash, since)
);
CREATE INDEX key_creators_creator ON key_creators (creator);
INSERT INTO key_creators (key_hash, creator, since, until)
    SELECT hash, creator, 0, 9223372036854775807 FROM api_keys WHERE creator <> '';

-- What was spent is in the index: the rows, which are wide, need not be read.
CREATE INDEX generations_key_cost ON generations (key_hash, created, cost, byok_cost);
CREATE INDEX generations_workspace_cost ON generations (workspace_id, created, cost, byok_cost);
DROP INDEX generations_key;
DROP INDEX generations_workspace;

-- +goose Down
CREATE INDEX generations_workspace ON generations (workspace_id, created);
CREATE INDEX generations_key ON generations (key_hash, created);
DROP INDEX generations_workspace_cost;
DROP INDEX generations_key_cost;
DROP TABLE key_creators;
ALTER TABLE api_keys DROP COLUMN limited;

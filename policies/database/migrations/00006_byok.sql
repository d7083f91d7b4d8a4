-- Customers' own keys of providers, and what they were billed. What a provider takes of
-- a key is here encrypted alone.

-- +goose Up
CREATE TABLE own_keys (
    id              TEXT    NOT NULL PRIMARY KEY,
    organization_id TEXT    NOT NULL REFERENCES organizations (id),
    workspace_id    TEXT    NOT NULL, -- '' for all of the organisation
    provider        TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    label           TEXT    NOT NULL,
    disabled        BOOLEAN NOT NULL,
    fallback        BOOLEAN NOT NULL,
    exclusive       BOOLEAN NOT NULL,
    required        BOOLEAN NOT NULL,
    retains         BOOLEAN NOT NULL,
    sort_order      BIGINT  NOT NULL,
    models          TEXT    NOT NULL, -- JSON lists; null for all
    key_hashes      TEXT    NOT NULL,
    users           TEXT    NOT NULL,
    creator         TEXT    NOT NULL, -- hash of a key
    created         BIGINT  NOT NULL,
    updated         BIGINT  NOT NULL,
    sealed          TEXT    NOT NULL
);
CREATE INDEX own_keys_organization ON own_keys (organization_id, provider);

-- What providers billed customers' own keys, by the list price; cost has the fee alone.
ALTER TABLE generations ADD COLUMN byok_cost BIGINT NOT NULL DEFAULT 0;
CREATE INDEX generations_byok ON generations (created) WHERE byok_cost > 0;

-- +goose Down
DROP INDEX generations_byok;
ALTER TABLE generations DROP COLUMN byok_cost;
DROP TABLE own_keys;

-- Keys that are managed over the API. No key is here: digests are SHA-256, seals
-- HMAC-SHA-256 by the gateway's secret. A time of 0 is none.

-- +goose Up
-- One row: version grows with each change, by which gateways learn of it; fingerprint
-- tells whether they have the same secret.
CREATE TABLE identity_state (
    id          BIGINT NOT NULL PRIMARY KEY,
    version     BIGINT NOT NULL,
    fingerprint TEXT   NOT NULL
);
INSERT INTO identity_state (id, version, fingerprint) VALUES (1, 0, '');

CREATE TABLE api_keys (
    hash         TEXT    NOT NULL PRIMARY KEY,
    name         TEXT    NOT NULL,
    label        TEXT    NOT NULL,
    role         TEXT    NOT NULL, -- '' for inference
    disabled     BOOLEAN NOT NULL,
    spend_limit  BIGINT,           -- picodollars
    limit_reset  TEXT    NOT NULL, -- '' for never
    include_byok BOOLEAN NOT NULL,
    creator      TEXT    NOT NULL,
    created      BIGINT  NOT NULL,
    updated      BIGINT  NOT NULL,
    expires      BIGINT  NOT NULL
);

-- What authenticates as a key: one secret, and while it is rotated the one before.
CREATE TABLE key_secrets (
    digest   TEXT   NOT NULL PRIMARY KEY,
    seal     TEXT   NOT NULL,
    key_hash TEXT   NOT NULL REFERENCES api_keys (hash),
    created  BIGINT NOT NULL,
    expires  BIGINT NOT NULL
);
CREATE INDEX key_secrets_key ON key_secrets (key_hash);

CREATE TABLE audit_log (
    id         TEXT   NOT NULL PRIMARY KEY,
    created    BIGINT NOT NULL,
    actor_hash TEXT   NOT NULL,
    actor_name TEXT   NOT NULL,
    action     TEXT   NOT NULL,
    target     TEXT   NOT NULL,
    before     TEXT   NOT NULL, -- JSON, '' for nothing
    after      TEXT   NOT NULL
);
CREATE INDEX audit_log_created ON audit_log (created);

-- +goose Down
DROP TABLE audit_log;
DROP TABLE key_secrets;
DROP TABLE api_keys;
DROP TABLE identity_state;

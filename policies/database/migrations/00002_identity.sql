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

CREATE TABLE organizations (
    id      TEXT   NOT NULL PRIMARY KEY,
    name    TEXT   NOT NULL,
    created BIGINT NOT NULL
);
INSERT INTO organizations (id, name, created) VALUES ('default', 'Default', 0);

-- What is deleted stays for the ledger, whose rows name it.
CREATE TABLE workspaces (
    id                  TEXT   NOT NULL PRIMARY KEY,
    organization_id     TEXT   NOT NULL REFERENCES organizations (id),
    name                TEXT   NOT NULL,
    slug                TEXT   NOT NULL,
    description         TEXT   NOT NULL,
    default_text_model  TEXT   NOT NULL,
    default_sort        TEXT   NOT NULL,
    creator             TEXT   NOT NULL,
    created             BIGINT NOT NULL,
    updated             BIGINT NOT NULL,
    deleted             BIGINT NOT NULL
);
INSERT INTO workspaces (id, organization_id, name, slug, description, default_text_model, default_sort, creator, created, updated, deleted)
    VALUES ('default', 'default', 'Default', 'default', '', '', '', '', 0, 0, 0);

CREATE TABLE members (
    id              TEXT   NOT NULL PRIMARY KEY,
    organization_id TEXT   NOT NULL REFERENCES organizations (id),
    email           TEXT   NOT NULL,
    first_name      TEXT   NOT NULL,
    last_name       TEXT   NOT NULL,
    role            TEXT   NOT NULL,
    created         BIGINT NOT NULL
);

CREATE TABLE workspace_members (
    id           TEXT   NOT NULL PRIMARY KEY,
    workspace_id TEXT   NOT NULL REFERENCES workspaces (id),
    member_id    TEXT   NOT NULL REFERENCES members (id),
    created      BIGINT NOT NULL
);

CREATE TABLE api_keys (
    hash         TEXT    NOT NULL PRIMARY KEY,
    name         TEXT    NOT NULL,
    label        TEXT    NOT NULL,
    role         TEXT    NOT NULL, -- '' for inference
    disabled     BOOLEAN NOT NULL,
    spend_limit  BIGINT,           -- picodollars
    limit_reset  TEXT    NOT NULL, -- '' for never
    include_byok BOOLEAN NOT NULL,
    creator      TEXT    NOT NULL, -- a member, or ''
    workspace_id TEXT    NOT NULL REFERENCES workspaces (id),
    models       TEXT    NOT NULL, -- JSON lists; null for all
    providers    TEXT    NOT NULL,
    ips          TEXT    NOT NULL,
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
    id              TEXT   NOT NULL PRIMARY KEY,
    organization_id TEXT   NOT NULL,
    created         BIGINT NOT NULL,
    actor_hash      TEXT   NOT NULL,
    actor_name      TEXT   NOT NULL,
    action          TEXT   NOT NULL,
    target          TEXT   NOT NULL,
    before          TEXT   NOT NULL, -- JSON, '' for nothing
    after           TEXT   NOT NULL
);
CREATE INDEX audit_log_organization ON audit_log (organization_id, id);

-- +goose Down
DROP TABLE audit_log;
DROP TABLE key_secrets;
DROP TABLE api_keys;
DROP TABLE workspace_members;
DROP TABLE members;
DROP TABLE workspaces;
DROP TABLE organizations;
DROP TABLE identity_state;

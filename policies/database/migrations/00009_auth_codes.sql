-- Codes that are exchanged for a key (PKCE, RFC 7636), each once. The code is not here:
-- digest is its SHA-256, seal an HMAC-SHA-256 of the row by the gateway's secret.

-- +goose Up
CREATE TABLE auth_codes (
    digest          TEXT   NOT NULL PRIMARY KEY,
    seal            TEXT   NOT NULL,
    organization_id TEXT   NOT NULL REFERENCES organizations (id),
    actor_hash      TEXT   NOT NULL,
    actor_name      TEXT   NOT NULL,
    terms           TEXT   NOT NULL, -- the key that is to be made, as JSON
    challenge       TEXT   NOT NULL, -- '' for none
    method          TEXT   NOT NULL,
    expires         BIGINT NOT NULL
);

-- +goose Down
DROP TABLE auth_codes;

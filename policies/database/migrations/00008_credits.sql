-- +goose Up
-- What organisations were given to spend. One that has no entry spends without bound.
CREATE TABLE credit_entries (
    id              TEXT   NOT NULL PRIMARY KEY,
    organization_id TEXT   NOT NULL REFERENCES organizations (id),
    amount          BIGINT NOT NULL, -- picodollars; negative takes back
    reference       TEXT   NOT NULL, -- '' for none
    note            TEXT   NOT NULL,
    actor_hash      TEXT   NOT NULL,
    created         BIGINT NOT NULL
);
CREATE UNIQUE INDEX credit_entries_reference ON credit_entries (organization_id, reference) WHERE reference <> '';

CREATE TABLE workspace_budgets (
    id           TEXT   NOT NULL PRIMARY KEY,
    workspace_id TEXT   NOT NULL REFERENCES workspaces (id),
    reset        TEXT   NOT NULL, -- '' for never
    amount       BIGINT NOT NULL, -- picodollars
    created      BIGINT NOT NULL,
    updated      BIGINT NOT NULL
);
CREATE UNIQUE INDEX workspace_budgets_reset ON workspace_budgets (workspace_id, reset);

-- +goose Down
DROP TABLE workspace_budgets;
DROP TABLE credit_entries;

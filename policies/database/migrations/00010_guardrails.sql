-- +goose Up
CREATE TABLE guardrails (
    id              TEXT   NOT NULL PRIMARY KEY,
    organization_id TEXT   NOT NULL REFERENCES organizations (id),
    terms           TEXT   NOT NULL, -- JSON
    created         BIGINT NOT NULL,
    updated         BIGINT NOT NULL
);

-- Who is held to a guardrail: a key by its hash, or a member by their id. Each has one
-- at most.
CREATE TABLE guardrail_assignments (
    id           TEXT   NOT NULL PRIMARY KEY,
    guardrail_id TEXT   NOT NULL REFERENCES guardrails (id),
    kind         TEXT   NOT NULL, -- 'key' or 'member'
    assignee     TEXT   NOT NULL,
    actor_hash   TEXT   NOT NULL,
    created      BIGINT NOT NULL
);
CREATE UNIQUE INDEX guardrail_assignments_assignee ON guardrail_assignments (kind, assignee);
CREATE INDEX guardrail_assignments_guardrail ON guardrail_assignments (guardrail_id);
CREATE INDEX api_keys_creator ON api_keys (creator);

-- +goose Down
DROP INDEX api_keys_creator;
DROP TABLE guardrail_assignments;
DROP TABLE guardrails;

-- What was used outlives the generations that it was used by: when those are deleted,
-- their sums of each day in UTC stay. All sums are made from usage_sums.

-- +goose Up
CREATE TABLE generation_days (
    day               BIGINT NOT NULL, -- its first microsecond
    key_hash          TEXT   NOT NULL,
    key_name          TEXT   NOT NULL,
    workspace_id      TEXT   NOT NULL,
    model             TEXT   NOT NULL,
    provider          TEXT   NOT NULL,
    endpoint          TEXT   NOT NULL,
    requests          BIGINT NOT NULL,
    prompt_tokens     BIGINT NOT NULL,
    completion_tokens BIGINT NOT NULL,
    reasoning_tokens  BIGINT NOT NULL,
    cached_tokens     BIGINT NOT NULL,
    cost              BIGINT NOT NULL,
    byok_cost         BIGINT NOT NULL,
    PRIMARY KEY (day, key_hash, workspace_id, model, provider, endpoint)
);
CREATE INDEX generation_days_key ON generation_days (key_hash, day);
CREATE INDEX generations_workspace ON generations (workspace_id, created);

CREATE VIEW usage_sums AS
    SELECT created, key_hash, key_name, workspace_id, end_user, model, provider, endpoint,
           1 AS requests, prompt_tokens, completion_tokens, reasoning_tokens, cached_tokens, cost, byok_cost
    FROM generations
    UNION ALL
    SELECT day, key_hash, key_name, workspace_id, '', model, provider, endpoint,
           requests, prompt_tokens, completion_tokens, reasoning_tokens, cached_tokens, cost, byok_cost
    FROM generation_days;

-- +goose Down
DROP VIEW usage_sums;
DROP INDEX generations_workspace;
DROP TABLE generation_days;

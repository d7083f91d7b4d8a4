-- What is used is added up by the day in UTC as generations are told, in the same
-- transaction, and stays when they are deleted. A process of before does not do so: its
-- generations are not summed, and are added before anyone asks.

-- +goose Up
CREATE TABLE usage_days (
    workspace_id      TEXT   NOT NULL,
    day               BIGINT NOT NULL, -- its first microsecond
    key_hash          TEXT   NOT NULL,
    model             TEXT   NOT NULL,
    provider          TEXT   NOT NULL,
    endpoint          TEXT   NOT NULL,
    key_name          TEXT   NOT NULL,
    requests          BIGINT NOT NULL,
    prompt_tokens     BIGINT NOT NULL,
    completion_tokens BIGINT NOT NULL,
    reasoning_tokens  BIGINT NOT NULL,
    cached_tokens     BIGINT NOT NULL,
    cost              BIGINT NOT NULL,
    byok_cost         BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, day, key_hash, model, provider, endpoint)
);

-- The same money once more by who may have a budget: each is asked alone, and a year of
-- theirs is 365 rows. An end user has a pseudonym, and one row, of day 0, for all days
-- before those that a period under way has.
CREATE TABLE spending_days (
    kind      TEXT   NOT NULL, -- key, user, member, workspace, model or provider
    name      TEXT   NOT NULL,
    day       BIGINT NOT NULL,
    requests  BIGINT NOT NULL, -- of models and providers, attempts
    cost      BIGINT NOT NULL,
    byok_cost BIGINT NOT NULL,
    latest    BIGINT NOT NULL, -- when a key asked last, 0 for others
    PRIMARY KEY (kind, name, day)
);

INSERT INTO usage_days (workspace_id, day, key_hash, model, provider, endpoint, key_name, requests, prompt_tokens, completion_tokens, reasoning_tokens, cached_tokens, cost, byok_cost)
    SELECT workspace_id, day, key_hash, model, provider, endpoint, key_name, requests, prompt_tokens, completion_tokens, reasoning_tokens, cached_tokens, cost, byok_cost
    FROM generation_days;
INSERT INTO spending_days (kind, name, day, requests, cost, byok_cost, latest)
    SELECT 'key', key_hash, day, SUM(requests), SUM(cost), SUM(byok_cost), day FROM generation_days WHERE key_hash <> '' GROUP BY key_hash, day
    UNION ALL
    SELECT 'member', c.creator, d.day, SUM(d.requests), SUM(d.cost), SUM(d.byok_cost), 0 FROM generation_days d
        JOIN key_creators c ON c.key_hash = d.key_hash AND c.since <= d.day AND d.day < c.until GROUP BY c.creator, d.day
    UNION ALL
    SELECT 'workspace', workspace_id, day, SUM(requests), SUM(cost), SUM(byok_cost), 0 FROM generation_days GROUP BY workspace_id, day
    UNION ALL
    SELECT 'model', model, day, SUM(requests), SUM(cost), SUM(byok_cost), 0 FROM generation_days WHERE model <> '' GROUP BY model, day
    UNION ALL
    SELECT 'provider', provider, day, SUM(requests), SUM(cost), SUM(byok_cost), 0 FROM generation_days WHERE provider <> '' GROUP BY provider, day;

DROP VIEW usage_sums;
DROP TABLE generation_days;
ALTER TABLE generations ADD COLUMN summed BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX generations_unsummed ON generations (id) WHERE NOT summed;
DROP INDEX generations_key_cost;
DROP INDEX generations_workspace_cost;
DROP INDEX generations_byok;

-- +goose Down
CREATE INDEX generations_byok ON generations (created) WHERE byok_cost > 0;
CREATE INDEX generations_workspace_cost ON generations (workspace_id, created, cost, byok_cost);
CREATE INDEX generations_key_cost ON generations (key_hash, created, cost, byok_cost);
CREATE TABLE generation_days (
    day               BIGINT NOT NULL,
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
-- What is in no generation any more.
INSERT INTO generation_days (day, key_hash, key_name, workspace_id, model, provider, endpoint, requests, prompt_tokens, completion_tokens, reasoning_tokens, cached_tokens, cost, byok_cost)
    SELECT day, key_hash, MAX(key_name), workspace_id, model, provider, endpoint,
           SUM(requests), SUM(prompt_tokens), SUM(completion_tokens), SUM(reasoning_tokens), SUM(cached_tokens), SUM(cost), SUM(byok_cost)
    FROM (
        SELECT day, key_hash, key_name, workspace_id, model, provider, endpoint,
               requests, prompt_tokens, completion_tokens, reasoning_tokens, cached_tokens, cost, byok_cost
        FROM usage_days
        UNION ALL
        SELECT created / 86400000000 * 86400000000, key_hash, key_name, workspace_id, model, provider, endpoint,
               -1, -prompt_tokens, -completion_tokens, -reasoning_tokens, -cached_tokens, -cost, -byok_cost
        FROM generations WHERE summed
    ) rest
    GROUP BY day, key_hash, workspace_id, model, provider, endpoint HAVING SUM(requests) > 0;
DROP INDEX generations_unsummed;
ALTER TABLE generations DROP COLUMN summed;
CREATE VIEW usage_sums AS
    SELECT created, key_hash, key_name, workspace_id, end_user, model, provider, endpoint,
           1 AS requests, prompt_tokens, completion_tokens, reasoning_tokens, cached_tokens, cost, byok_cost
    FROM generations
    UNION ALL
    SELECT day, key_hash, key_name, workspace_id, '', model, provider, endpoint,
           requests, prompt_tokens, completion_tokens, reasoning_tokens, cached_tokens, cost, byok_cost
    FROM generation_days;
DROP TABLE spending_days;
DROP TABLE usage_days;

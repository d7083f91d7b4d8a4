-- Amounts are picodollars, times microseconds since 1970 in UTC, durations
-- microseconds. Both databases read this file: only types that both know.

-- +goose Up
CREATE TABLE generations (
    id                   TEXT    NOT NULL PRIMARY KEY,
    request_id           TEXT    NOT NULL,
    created              BIGINT  NOT NULL,
    key_hash             TEXT    NOT NULL,
    key_name             TEXT    NOT NULL,
    api                  TEXT    NOT NULL,
    requested            TEXT    NOT NULL,
    model                TEXT    NOT NULL,
    provider             TEXT    NOT NULL,
    endpoint             TEXT    NOT NULL,
    streamed             BOOLEAN NOT NULL,
    cancelled            BOOLEAN NOT NULL,
    estimated            BOOLEAN NOT NULL,
    session              TEXT    NOT NULL,
    end_user             TEXT    NOT NULL,
    preset               TEXT    NOT NULL,
    referer              TEXT    NOT NULL,
    title                TEXT    NOT NULL,
    user_agent           TEXT    NOT NULL,
    finish_reason        TEXT    NOT NULL,
    native_finish_reason TEXT    NOT NULL,
    prompt_tokens        BIGINT  NOT NULL,
    completion_tokens    BIGINT  NOT NULL,
    reasoning_tokens     BIGINT  NOT NULL,
    cost                 BIGINT  NOT NULL,
    attempts             TEXT    NOT NULL
);
CREATE INDEX generations_created ON generations (created);
CREATE INDEX generations_key ON generations (key_hash, created);

-- +goose Down
DROP TABLE generations;

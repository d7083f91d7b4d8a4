-- What was said with keys that have it kept. Content is an object in JSON; created is
-- the generation's.

-- +goose Up
CREATE TABLE generation_contents (
    id      TEXT   NOT NULL PRIMARY KEY,
    created BIGINT NOT NULL,
    content TEXT   NOT NULL
);
CREATE INDEX generation_contents_created ON generation_contents (created);

-- +goose Down
DROP TABLE generation_contents;

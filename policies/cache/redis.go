package cache

import (
	"context"
	"encoding/base64"
	"log/slog"
	"strconv"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/switchyard/switchyard/policies/redis"
)

// Redis keeps the entries of all gateways that share a Redis, which bounds them by its
// own maxmemory. A request waits for it at most `redis.timeout`, and in an outage one
// request a second does; to all others there is no entry.
type Redis struct {
	client *redis.Client
	watch  redis.Watch
}

var _ Store = (*Redis)(nil)

// NewRedis returns a store on client, which the caller closes.
func NewRedis(client *redis.Client, log *slog.Logger) *Redis {
	return &Redis{client: client, watch: redis.Watch{
		Log:    log,
		Begins: "Redis does not answer: nothing is taken from the cache",
		Ends:   "Redis answers again: answers are taken from the cache",
	}}
}

// Failures is [redis.Watch.Failures].
func (r *Redis) Failures() int64 { return r.watch.Failures() }

// fields of an entry, which is a hash: a body need not be encoded then.
var fields = []string{"source", "endpoint", "type", "finish", "native", "bound", "stored", "ttl", "body"}

// Get implements [Store].
func (r *Redis) Get(ctx context.Context, key Key, now time.Time) (*Entry, bool) {
	if !r.watch.Allow(now) {
		return nil, false
	}
	bound, cancel := r.client.Bound(ctx)
	defer cancel()
	values, err := r.client.HMGet(bound, r.name(key), fields...).Result()
	if ctx.Err() != nil {
		return nil, false // the client hung up, which says nothing of Redis
	}
	r.watch.Took(err, now)
	return readEntry(values) // no values if there is an error
}

// Put implements [Store].
func (r *Redis) Put(ctx context.Context, key Key, entry *Entry) {
	if entry.TimeToLive <= 0 {
		return
	}
	r.write(ctx, entry.Stored, func(ctx context.Context) error {
		name := r.name(key)
		// A transaction: without its expiry an entry would stay for good.
		_, err := r.client.TxPipelined(ctx, func(pipe goredis.Pipeliner) error {
			pipe.HSet(ctx, name, "source", entry.SourceID, "endpoint", entry.EndpointID,
				"type", entry.MediaType, "finish", entry.FinishReason, "native", entry.NativeFinishReason,
				"bound", entry.BoundReasoning, "stored", entry.Stored.UnixMilli(), "ttl", entry.TimeToLive.Milliseconds(),
				"body", entry.Body)
			pipe.PExpire(ctx, name, entry.TimeToLive)
			return nil
		})
		return err
	})
}

// Delete implements [Store].
func (r *Redis) Delete(ctx context.Context, key Key, now time.Time) {
	r.write(ctx, now, func(ctx context.Context) error { return r.client.Del(ctx, r.name(key)).Err() })
}

func (r *Redis) write(ctx context.Context, now time.Time, command func(context.Context) error) {
	if !r.watch.Allow(now) {
		return
	}
	ctx, cancel := r.client.Bound(context.WithoutCancel(ctx))
	defer cancel()
	r.watch.Took(command(ctx), now)
}

func (r *Redis) name(key Key) string {
	return r.client.Key("answer:" + base64.RawURLEncoding.EncodeToString(key[:]))
}

// readEntry reads the fields of an entry; false if there is none, or none that this
// version can read.
func readEntry(values []any) (*Entry, bool) {
	texts := make([]string, len(values))
	for i, value := range values {
		text, ok := value.(string)
		if !ok {
			return nil, false
		}
		texts[i] = text
	}
	if len(texts) != len(fields) {
		return nil, false
	}
	stored, wrongTime := strconv.ParseInt(texts[6], 10, 64)
	milliseconds, wrong := strconv.ParseInt(texts[7], 10, 64)
	if wrongTime != nil || wrong != nil || milliseconds <= 0 || milliseconds > longest.Milliseconds() {
		return nil, false
	}
	return &Entry{
		SourceID: texts[0], EndpointID: texts[1], MediaType: texts[2],
		FinishReason: texts[3], NativeFinishReason: texts[4], BoundReasoning: texts[5] == "1",
		Stored: time.UnixMilli(stored), TimeToLive: time.Duration(milliseconds) * time.Millisecond,
		Body: []byte(texts[8]),
	}, true
}

package sticky

import (
	"context"
	"encoding/base64"
	"log/slog"
	"strconv"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/switchyard/switchyard/policies/redis"
)

// Redis keeps the pins of all gateways that share a Redis, and a [Memory] of this
// one's behind it. Redis is asked first: another gateway may have moved the
// conversation since. The memory answers when Redis does not, or has lost its data.
//
// A request waits once for one round trip, and at most `redis.timeout`. In an outage
// one request a second does; all others go on with the memory's view.
type Redis struct {
	client *redis.Client
	memory *Memory
	watch  redis.Watch
}

var _ Store = (*Redis)(nil)

// maxTTL is the longest that a pin is kept; `routing.sticky_for` goes no further.
const maxTTL = 24 * time.Hour

// NewRedis returns a store on client, with memory behind it. The caller closes the
// client, and may give the same memory to the next store after a reload.
func NewRedis(client *redis.Client, memory *Memory, log *slog.Logger) *Redis {
	return &Redis{client: client, memory: memory, watch: redis.Watch{
		Log:    log,
		Begins: "Redis does not answer: conversations stay with their endpoint at this gateway only",
		Ends:   "Redis answers again: conversations stay with their endpoint at every gateway",
	}}
}

// Failures is [redis.Watch.Failures].
func (r *Redis) Failures() int64 { return r.watch.Failures() }

// Outage reports whether Redis did not answer lately.
func (r *Redis) Outage() bool { return r.watch.Open() }

// get reads a pin and renews it in one round trip. A pin is a hash with its time to
// live in milliseconds in it: only so can the script renew it without being told.
var get = goredis.NewScript(`
local pin = redis.call('HMGET', KEYS[1], 'model', 'endpoint', 'provider', 'bound', 'ttl')
if pin[5] then redis.call('PEXPIRE', KEYS[1], pin[5]) end
return pin`)

// Get implements [Store].
func (r *Redis) Get(ctx context.Context, key Key, now time.Time) (Pin, bool) {
	remembered, known := r.memory.Get(ctx, key, now)
	if !r.watch.Allow(now) {
		return remembered, known
	}
	bound, cancel := r.client.Bound(ctx)
	defer cancel()
	values, err := get.Run(bound, r.client, []string{r.name(key)}).Slice()
	if ctx.Err() != nil {
		return remembered, known // the client hung up, which says nothing of Redis
	}
	r.watch.Took(err, now)
	pin, ttl, ok := readPin(values) // no values if there is an error
	if !ok {
		return remembered, known
	}
	r.memory.Put(ctx, key, pin, ttl, now)
	return pin, true
}

// Put implements [Store]. It waits for Redis up to its time-out.
func (r *Redis) Put(ctx context.Context, key Key, pin Pin, ttl time.Duration, now time.Time) {
	if ttl <= 0 {
		return
	}
	ttl = min(ttl, maxTTL)
	r.memory.Put(ctx, key, pin, ttl, now)
	if !r.watch.Allow(now) {
		return
	}
	ctx, cancel := r.client.Bound(context.WithoutCancel(ctx))
	defer cancel()
	name := r.name(key)
	// A transaction: without its expiry a pin would stay for good.
	_, err := r.client.TxPipelined(ctx, func(pipe goredis.Pipeliner) error {
		pipe.HSet(ctx, name, "model", pin.Model, "endpoint", pin.EndpointID, "provider", pin.Provider,
			"bound", pin.Bound, "ttl", ttl.Milliseconds())
		pipe.PExpire(ctx, name, ttl)
		return nil
	})
	r.watch.Took(err, now)
}

func (r *Redis) name(key Key) string {
	return r.client.Key("pin:" + base64.RawURLEncoding.EncodeToString(key[:]))
}

// readPin reads what the script returned; false if there is no pin, or none that
// this version can read.
func readPin(values []any) (Pin, time.Duration, bool) {
	texts := make([]string, 0, 5)
	for _, value := range values {
		text, ok := value.(string)
		if !ok {
			return Pin{}, 0, false
		}
		texts = append(texts, text)
	}
	if len(texts) != 5 {
		return Pin{}, 0, false
	}
	milliseconds, err := strconv.ParseInt(texts[4], 10, 64)
	if err != nil || milliseconds <= 0 || milliseconds > maxTTL.Milliseconds() {
		return Pin{}, 0, false
	}
	pin := Pin{Model: texts[0], EndpointID: texts[1], Provider: texts[2], Bound: texts[3] == "1"}
	return pin, time.Duration(milliseconds) * time.Millisecond, true
}

package sharing

import (
	"context"
	"slices"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// members is the set of the names of all instances. Reading it finds them without
// a search through keys, which may be a million of somebody else's.
const members = "instances"

// blob is the name of an instance's own key.
func blob(instance string) string { return "statistics:" + instance }

// announce writes this gateway's statistics and returns the names of the others, in
// one round trip.
func (l *Loop) announce(ctx context.Context, now time.Time) ([]string, error) {
	data := l.exchanger.Export(now)
	var names *goredis.StringSliceCmd
	_, err := l.client.Pipelined(ctx, func(pipe goredis.Pipeliner) error {
		pipe.Set(ctx, l.name(blob(l.options.Instance)), data, l.lifetime())
		pipe.SAdd(ctx, l.name(members), l.options.Instance)
		pipe.PExpire(ctx, l.name(members), l.lifetime())
		names = pipe.SMembers(ctx, l.name(members))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(names.Val(), func(name string) bool { return name == l.options.Instance }), nil
}

// read imports what the others wrote, in one round trip, and a second one when some
// are gone. What has not changed is imported too: only the exchanger knows what
// time does to it.
func (l *Loop) read(ctx context.Context, others []string, now time.Time) error {
	present := make(map[string]bool, len(others))
	var gone []any
	if len(others) > 0 {
		keys := make([]string, len(others))
		for i, instance := range others {
			keys[i] = l.name(blob(instance))
		}
		blobs, err := l.client.MGet(ctx, keys...).Result()
		if err != nil {
			return err
		}
		for i, instance := range others {
			if data, ok := blobs[i].(string); ok {
				present[instance] = true
				l.take(instance, []byte(data), now)
			} else {
				gone = append(gone, instance)
			}
		}
	}
	l.keepOnly(present)
	if len(gone) == 0 {
		return nil
	}
	// One that was only late comes back with its next round.
	return l.client.SRem(ctx, l.name(members), gone...).Err()
}

// take imports one instance's statistics. That they are refused, as while gateways of
// two versions run, is logged once for the instance; the error says why.
func (l *Loop) take(instance string, data []byte, now time.Time) {
	err := l.exchanger.Import(instance, data, now)
	if err != nil && !l.others[instance] {
		l.options.Log.Warn("another gateway's statistics are not taken in",
			"instance", instance, "error", err)
	}
	l.others[instance] = err != nil
}

// leave has the others forget this gateway at once, and this one the others.
func (l *Loop) leave(ctx context.Context) {
	l.keepOnly(nil)
	if l.outage {
		return // the key expires
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := l.client.Pipelined(ctx, func(pipe goredis.Pipeliner) error {
		pipe.Del(ctx, l.name(blob(l.options.Instance)))
		pipe.SRem(ctx, l.name(members), l.options.Instance)
		return nil
	})
	if err != nil {
		l.options.Log.Warn("Redis does not answer: the other gateways remember this one for a while", "error", err)
	}
}

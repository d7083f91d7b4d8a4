package quota

import (
	"context"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/switchyard/switchyard/policies/redis"
)

// Redis keeps the limits of all gateways that share a Redis: one script and one round
// trip for a call. Time is that of the Redis, so that the gateways' clocks may differ;
// only the periods of budgets go by theirs.
//
// The keys of a script are not in one slot of a cluster: a Redis Cluster does not serve.
type Redis struct {
	client *redis.Client
	prefix string
	// clock gives a test its own time. Nil is the Redis's.
	clock func() time.Time
}

var _ Store = (*Redis)(nil)

// layoutVersion is part of every key. A gateway whose scripts keep counters in another way
// has another, and neither reads what the other wrote: while both run, each counts what it
// admits by itself.
const layoutVersion = "2"

// NewRedis returns a store on client, which the caller closes.
func NewRedis(client *redis.Client) *Redis {
	return &Redis{client: client, prefix: client.Key("limit" + layoutVersion + ":")}
}

var (
	//go:embed scripts/counter.lua
	common string
	//go:embed scripts/reserve.lua
	reserveText string
	//go:embed scripts/settle.lua
	settleText string
	//go:embed scripts/renew.lua
	renewText string
	//go:embed scripts/seed.lua
	seedText string
	//go:embed scripts/used.lua
	usedText string

	reserveScript = goredis.NewScript(common + reserveText)
	settleScript  = goredis.NewScript(common + settleText)
	renewScript   = goredis.NewScript(common + renewText)
	seedScript    = goredis.NewScript(common + seedText)
	usedScript    = goredis.NewScript(common + usedText)
)

// packed are numbers as the scripts unpack them: doubles, and flags of one byte.
type packed []byte

func (p *packed) numbers(numbers ...int64) {
	for _, n := range numbers {
		*p = binary.LittleEndian.AppendUint64(*p, math.Float64bits(float64(n)))
	}
}

// Reserve implements [Store].
func (r *Redis) Reserve(ctx context.Context, id string, claims []Claim, now time.Time) (Verdict, error) {
	p := make(packed, 0, 24+58*len(claims))
	p.numbers(r.time(), Lease.Microseconds(), patience.Microseconds())
	for i := range claims {
		claim := &claims[i]
		p = append(p, claim.holds(), claim.seeding())
		p.numbers(claim.Most, claim.Amount, claim.Window.Microseconds(), claim.grain()/1000, claim.timeToLive(now), claim.seed, claim.since())
	}
	answer, err := reserveScript.Run(ctx, r.client, r.names(claims), id, []byte(p)).Result()
	if err != nil {
		return Verdict{}, err
	}
	return readVerdict(answer, claims, now)
}

// holds is whether the claim is held until it is settled, or counts at once.
func (c *Claim) holds() byte {
	if c.Measure == Requests {
		return 0
	}
	return 1
}

// seeding is whether the counter has to be seeded, and the seed is known.
func (c *Claim) seeding() byte {
	switch {
	case !c.calendar():
		return 0
	case !c.seeded:
		return 1
	}
	return 2
}

// readVerdict reads what the script returned.
func readVerdict(answer any, claims []Claim, now time.Time) (Verdict, error) {
	if answer == int64(0) {
		return Verdict{}, nil
	}
	unread := func() error { return fmt.Errorf("quota: Redis answered %v", answer) }
	values, _ := answer.([]any)
	numbers := make([]int64, len(values))
	for i, value := range values {
		var ok bool
		if numbers[i], ok = value.(int64); !ok {
			return Verdict{}, unread()
		}
	}
	within := func(i int64) bool { return i >= 1 && i <= int64(len(claims)) }
	switch {
	case len(numbers) == 6 && numbers[0] == 1 && within(numbers[1]):
		d := &Denial{Claim: claims[numbers[1]-1], Used: numbers[2], Held: numbers[3]}
		d.time(time.Duration(numbers[4])*time.Microsecond, time.Duration(numbers[5])*time.Microsecond, now)
		return Verdict{Denial: d}, nil
	case len(numbers) > 1 && numbers[0] == 2:
		var verdict Verdict
		for _, i := range numbers[1:] {
			if !within(i) {
				return Verdict{}, unread()
			}
			verdict.Unseeded = append(verdict.Unseeded, int(i-1))
		}
		return verdict, nil
	}
	return Verdict{}, unread()
}

// noted is how long a settlement is noted, so as to count once.
const noted = 2 * time.Minute

// Settle implements [Store].
func (r *Redis) Settle(ctx context.Context, id string, claims []Claim, actual Actual, now time.Time) error {
	return r.settle(ctx, id, claims, actual, noted, now)
}

// Release implements [Store].
func (r *Redis) Release(ctx context.Context, id string, claims []Claim, now time.Time) error {
	return r.settle(ctx, id, claims, Actual{}, 0, now)
}

func (r *Redis) settle(ctx context.Context, id string, claims []Claim, actual Actual, note time.Duration, now time.Time) error {
	names := append(make([]string, 0, len(claims)+1), r.prefix+"settled:"+id)
	names = r.appendNames(names, claims)
	p := make(packed, 0, 16+40*len(claims))
	p.numbers(r.time(), note.Milliseconds())
	for i := range claims {
		claim := &claims[i]
		p.numbers(claim.Amount, actual.of(&claim.Limit), claim.Window.Microseconds(), claim.grain()/1000, claim.timeToLive(now))
	}
	return settleScript.Run(ctx, r.client, names, id, []byte(p)).Err()
}

// Renew implements [Store], in one round trip for all.
func (r *Redis) Renew(ctx context.Context, held []Held, now time.Time) error {
	if len(held) == 0 {
		return nil
	}
	// The pipeline cannot tell of a script that is not loaded before it is through.
	renew := func() error {
		_, err := r.client.Pipelined(ctx, func(pipe goredis.Pipeliner) error {
			for _, h := range held {
				p := make(packed, 0, 16+24*len(h.Claims))
				p.numbers(r.time(), Lease.Microseconds())
				for i := range h.Claims {
					claim := &h.Claims[i]
					p.numbers(claim.Amount, claim.Window.Microseconds(), claim.timeToLive(now))
				}
				renewScript.EvalSha(ctx, pipe, r.names(h.Claims), h.ID, []byte(p))
			}
			return nil
		})
		return err
	}
	err := renew()
	if err != nil && goredis.HasErrorPrefix(err, "NOSCRIPT") {
		if err = renewScript.Load(ctx, r.client).Err(); err == nil {
			err = renew()
		}
	}
	return err
}

// Seed implements [Store].
func (r *Redis) Seed(ctx context.Context, claim Claim, now time.Time) error {
	var p packed
	p.numbers(r.time(), claim.seed, claim.since(), claim.timeToLive(now))
	return seedScript.Run(ctx, r.client, r.names([]Claim{claim}), "", []byte(p)).Err()
}

// Used implements [Store].
func (r *Redis) Used(ctx context.Context, claims []Claim, now time.Time) ([]int64, error) {
	var p packed
	p.numbers(r.time())
	for i := range claims {
		p = append(p, claims[i].seeding())
		p.numbers(claims[i].since(), claims[i].Window.Microseconds(), claims[i].timeToLive(now))
	}
	used, err := usedScript.Run(ctx, r.client, r.names(claims), "", []byte(p)).Int64Slice()
	if err == nil && len(used) != len(claims) {
		err = errors.New("quota: Redis answered for other limits than were asked for")
	}
	return used, err
}

func (r *Redis) names(claims []Claim) []string {
	return r.appendNames(make([]string, 0, len(claims)), claims)
}

func (r *Redis) appendNames(names []string, claims []Claim) []string {
	for i := range claims {
		names = append(names, r.prefix+claims[i].name)
	}
	return names
}

// time is the test's, in microseconds, or 0 for the Redis's.
func (r *Redis) time() int64 {
	if r.clock == nil {
		return 0
	}
	return r.clock().UnixMicro()
}

// timeToLive is how long a counter lives that nobody touches, in milliseconds: longer
// than anything in it counts. 0 is for good. A budget that the ledger can tell again
// goes after a day.
func (c *Claim) timeToLive(now time.Time) int64 {
	const day = 24 * time.Hour
	switch {
	case !c.calendar():
		return (c.Window + 2*Lease).Milliseconds()
	case !c.lasting:
		return day.Milliseconds()
	}
	if next := c.Reset.Next(now); !next.IsZero() {
		return (next.Sub(now) + day).Milliseconds()
	}
	return 0
}

package quota

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
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
	// clock gives a test its own time. Nil is the Redis's.
	clock func() time.Time
}

var _ Store = (*Redis)(nil)

// NewRedis returns a store on client, which the caller closes.
func NewRedis(client *redis.Client) *Redis { return &Redis{client: client} }

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

// Reserve implements [Store].
func (r *Redis) Reserve(ctx context.Context, id string, claims []Claim, now time.Time) (Verdict, error) {
	arguments := make([]any, 0, 3+7*len(claims))
	arguments = append(arguments, id, r.time(), Lease.Microseconds())
	for i := range claims {
		claim := &claims[i]
		arguments = append(arguments, claim.Measure.String(), claim.Most, claim.Amount, claim.Window.Microseconds(),
			claim.grain()/1000, claim.seedText(), claim.timeToLive(now))
	}
	answer, err := reserveScript.Run(ctx, r.client, r.names(claims), arguments...).Slice()
	if err != nil {
		return Verdict{}, err
	}
	return readVerdict(answer, claims, now)
}

// readVerdict reads what the script returned.
func readVerdict(answer []any, claims []Claim, now time.Time) (Verdict, error) {
	numbers := make([]int64, len(answer))
	for i, value := range answer {
		switch value := value.(type) {
		case int64:
			numbers[i] = value
		case string:
			var err error
			if numbers[i], err = strconv.ParseInt(value, 10, 64); err != nil {
				return Verdict{}, fmt.Errorf("quota: Redis answered %q", answer)
			}
		default:
			return Verdict{}, fmt.Errorf("quota: Redis answered %q", answer)
		}
	}
	within := func(i int64) bool { return i >= 1 && i <= int64(len(claims)) }
	switch {
	case len(numbers) == 1 && numbers[0] == 0:
		return Verdict{}, nil
	case len(numbers) == 6 && numbers[0] == 1 && within(numbers[1]):
		d := &Denial{Claim: claims[numbers[1]-1], Used: numbers[2], Held: numbers[3]}
		d.time(time.Duration(numbers[4])*time.Microsecond, time.Duration(numbers[5])*time.Microsecond, now)
		return Verdict{Denial: d}, nil
	case len(numbers) > 1 && numbers[0] == 2:
		var verdict Verdict
		for _, i := range numbers[1:] {
			if !within(i) {
				return Verdict{}, fmt.Errorf("quota: Redis answered %q", answer)
			}
			verdict.Unseeded = append(verdict.Unseeded, int(i-1))
		}
		return verdict, nil
	}
	return Verdict{}, fmt.Errorf("quota: Redis answered %q", answer)
}

// Settle implements [Store].
func (r *Redis) Settle(ctx context.Context, id string, claims []Claim, actual Actual, now time.Time) error {
	return r.settle(ctx, id, claims, 2*Lease, now, func(claim *Claim) any {
		if claim.Measure != Tokens && claim.Measure != Money {
			return ""
		}
		return actual.of(&claim.Limit)
	})
}

// Release implements [Store].
func (r *Redis) Release(ctx context.Context, id string, claims []Claim, now time.Time) error {
	return r.settle(ctx, id, claims, 0, now, func(*Claim) any { return "" })
}

func (r *Redis) settle(ctx context.Context, id string, claims []Claim, note time.Duration, now time.Time, amount func(*Claim) any) error {
	names := append(make([]string, 0, len(claims)+1), r.client.Key("settled:"+id))
	names = append(names, r.names(claims)...)
	arguments := make([]any, 0, 3+5*len(claims))
	arguments = append(arguments, id, r.time(), note.Milliseconds())
	for i := range claims {
		claim := &claims[i]
		arguments = append(arguments, claim.Amount, amount(claim), claim.Window.Microseconds(), claim.grain()/1000, claim.timeToLive(now))
	}
	return settleScript.Run(ctx, r.client, names, arguments...).Err()
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
				arguments := make([]any, 0, 3+3*len(h.Claims))
				arguments = append(arguments, h.ID, r.time(), Lease.Microseconds())
				for i := range h.Claims {
					claim := &h.Claims[i]
					arguments = append(arguments, claim.Amount, claim.Window.Microseconds(), claim.timeToLive(now))
				}
				renewScript.EvalSha(ctx, pipe, r.names(h.Claims), arguments...)
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
	return seedScript.Run(ctx, r.client, r.names([]Claim{claim}), r.time(), claim.seed, claim.timeToLive(now)).Err()
}

// Used implements [Store].
func (r *Redis) Used(ctx context.Context, claims []Claim, now time.Time) ([]int64, error) {
	arguments := make([]any, 0, 1+3*len(claims))
	arguments = append(arguments, r.time())
	for i := range claims {
		arguments = append(arguments, claims[i].Window.Microseconds(), claims[i].calendar(), claims[i].timeToLive(now))
	}
	used, err := usedScript.Run(ctx, r.client, r.names(claims), arguments...).Int64Slice()
	if err == nil && len(used) != len(claims) {
		err = errors.New("quota: Redis answered for other limits than were asked for")
	}
	return used, err
}

func (r *Redis) names(claims []Claim) []string {
	names := make([]string, len(claims))
	for i := range claims {
		names[i] = r.client.Key("limit:" + claims[i].name)
	}
	return names
}

func (r *Redis) time() any {
	if r.clock == nil {
		return ""
	}
	return r.clock().UnixMicro()
}

// seedText is the seed as the script takes it.
func (c *Claim) seedText() any {
	switch {
	case !c.calendar():
		return "-"
	case !c.seeded:
		return ""
	}
	return c.seed
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

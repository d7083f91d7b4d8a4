// Package redis opens the Redis that gateways share.
//
// What is in it may be lost at any time: pins and statistics, which are better known
// than not, and the counters of limits, which are told again by those who hold a part of
// them and by the ledger. Whether a limit holds while Redis does not answer is the
// configuration's to say.
package redis

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

const (
	// defaultTimeout has room for a thousand requests that arrive at once: a limit that
	// they wait for holds, and one that gateways keep by themselves meanwhile may not.
	defaultTimeout = time.Second
	defaultPrefix  = "switchyard:"
	// dialTimeout may be longer than a request waits: a connection that is late for
	// one request serves the next.
	dialTimeout = time.Second
	// longestTimeout is the most that `redis.timeout` may be.
	longestTimeout = 10 * time.Second
	// poolSize is enough: a command takes a connection for a fraction of a millisecond.
	poolSize = 16
)

// Client is a connection pool and the prefix of the gateway's keys. All methods may
// be called concurrently.
type Client struct {
	*goredis.Client
	place  place
	access atomic.Pointer[access]
}

// place is which Redis it is, and what is whose there.
type place struct {
	address, prefix string
	database        uint32
	tls             bool
}

// access is what may change while the client is in use.
type access struct {
	username, password string
	timeout            time.Duration
}

func placeOf(cfg *configpb.Redis) place {
	return place{cfg.GetAddress(), cmp.Or(cfg.GetPrefix(), defaultPrefix), cfg.GetDatabase(), cfg.GetTls()}
}

// Open returns a client for the configuration's `redis`. It does not connect: a
// Redis that is down does not keep the gateway from starting. The password comes
// from cfg's secret; neither the client nor its errors ever show it.
//
// Commands are tried once. Their callers know what to do without an answer, and a
// second attempt would double the wait.
func Open(cfg *configpb.Redis, password string) (*Client, error) {
	host, _, err := net.SplitHostPort(cfg.GetAddress())
	if err != nil {
		return nil, fmt.Errorf("redis.address: %q; want a host and a port such as redis.internal:6379", cfg.GetAddress())
	}
	c := &Client{place: placeOf(cfg)}
	c.setAccess(cfg, password)
	options := &goredis.Options{
		Addr: cfg.GetAddress(),
		DB:   int(cfg.GetDatabase()),
		// A function, because printing the options would show a plain password.
		CredentialsProvider: func() (string, string) {
			known := c.access.Load()
			return known.username, known.password
		},

		DialTimeout:           dialTimeout,
		DialerRetries:         1,
		ReadTimeout:           longestTimeout, // what holds is [Client.Bound]
		WriteTimeout:          longestTimeout,
		PoolTimeout:           longestTimeout,
		ContextTimeoutEnabled: true,
		MaxRetries:            -1, // none

		PoolSize:         poolSize,
		PipelinePoolSize: -1, // pipelines share the pool, and find connections that are open

		// Each would cost every new connection a round trip.
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	if cfg.GetTls() {
		options.TLSConfig = &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	}
	// The library logs each failed dial. Those who send the commands log an outage
	// once; this switch is the process's, and no one else uses the library.
	logging.Disable()
	c.Client = goredis.NewClient(options)
	return c, nil
}

// Configure takes in a later `redis`: how long a request may wait, at once, and the
// credentials, for connections that are opened from then on. It returns the names of other
// settings that have changed, which the client does not follow: gateways that read a
// configuration at different moments would count in different places.
func (c *Client) Configure(cfg *configpb.Redis, password string) (unfollowed []string) {
	c.setAccess(cfg, password)
	next := placeOf(cfg)
	for _, setting := range []struct {
		name    string
		changed bool
	}{
		{"redis.address", next.address != c.place.address},
		{"redis.database", next.database != c.place.database},
		{"redis.tls", next.tls != c.place.tls},
		{"redis.prefix", next.prefix != c.place.prefix},
	} {
		if setting.changed {
			unfollowed = append(unfollowed, setting.name)
		}
	}
	return unfollowed
}

func (c *Client) setAccess(cfg *configpb.Redis, password string) {
	c.access.Store(&access{cfg.GetUsername(), password, cmp.Or(cfg.GetTimeout().AsDuration(), defaultTimeout)})
}

// Key is the full name of a key: the prefix stands before it.
func (c *Client) Key(name string) string { return c.place.prefix + name }

// Bound ends ctx when a request has waited long enough for Redis, connecting
// included: after `redis.timeout`.
func (c *Client) Bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, c.access.Load().timeout)
}

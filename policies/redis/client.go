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
	// poolSize is enough: a command takes a connection for a fraction of a millisecond.
	poolSize = 16
)

// Client is a connection pool and the prefix of the gateway's keys. All methods may
// be called concurrently.
type Client struct {
	*goredis.Client
	prefix  string
	timeout time.Duration
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
	timeout := cmp.Or(cfg.GetTimeout().AsDuration(), defaultTimeout)
	options := &goredis.Options{
		Addr: cfg.GetAddress(),
		DB:   int(cfg.GetDatabase()),
		// A function, because printing the options would show a plain password.
		CredentialsProvider: func() (string, string) { return cfg.GetUsername(), password },

		DialTimeout:           dialTimeout,
		DialerRetries:         1,
		ReadTimeout:           timeout,
		WriteTimeout:          timeout,
		PoolTimeout:           timeout,
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
	return &Client{
		Client:  goredis.NewClient(options),
		prefix:  cmp.Or(cfg.GetPrefix(), defaultPrefix),
		timeout: timeout,
	}, nil
}

// Key is the full name of a key: the prefix stands before it.
func (c *Client) Key(name string) string { return c.prefix + name }

// Bound ends ctx when a request has waited long enough for Redis, connecting
// included: after `redis.timeout`.
func (c *Client) Bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, c.timeout)
}

package redis_test

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/redis"
	"github.com/switchyard/switchyard/policies/redis/redistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, cfg *configpb.Redis, password string) *redis.Client {
	t.Helper()
	client, err := redis.Open(cfg, password)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func TestOpen(t *testing.T) {
	server := redistest.Start(t, "--requirepass", "sesame")
	cfg := server.Config()
	cfg.Database = 3
	cfg.Prefix = "mine:"
	client := open(t, cfg, "sesame")
	if err := client.Set(t.Context(), client.Key("a"), "x", 0).Err(); err != nil {
		t.Fatal(err)
	}
	size, err := client.DBSize(t.Context()).Result()
	if err != nil || size != 1 || client.Options().DB != 3 {
		t.Errorf("database %d has %d keys, %v", client.Options().DB, size, err)
	}
	if got := client.Key("a"); got != "mine:a" {
		t.Errorf("key %q, want mine:a", got)
	}
	cfg.Prefix = ""
	if got := open(t, cfg, "sesame").Key("a"); got != "switchyard:a" {
		t.Errorf("key %q, want switchyard:a", got)
	}
}

// What may change does so at once, or with the next connection; what may not is named.
func TestConfigure(t *testing.T) {
	server := redistest.Start(t, "--requirepass", "sesame")
	cfg := server.Config()
	cfg.Timeout = durationpb.New(10 * time.Second)
	client := open(t, cfg, "an old one")
	if err := client.Ping(t.Context()).Err(); err == nil {
		t.Fatal("a wrong password is taken")
	}
	later := server.Config()
	later.Timeout = durationpb.New(30 * time.Millisecond)
	if got := client.Configure(later, "sesame"); got != nil {
		t.Errorf("%v is not followed", got)
	}
	if err := client.Ping(t.Context()).Err(); err != nil {
		t.Errorf("with the new password: %v", err)
	}
	server.Pause()
	defer server.Resume()
	ctx, cancel := client.Bound(t.Context())
	defer cancel()
	began := time.Now()
	if err := client.Ping(ctx).Err(); err == nil {
		t.Error("a paused server answers")
	}
	if waited := time.Since(began); waited > 5*time.Second {
		t.Errorf("waited for %v, want about 30ms", waited)
	}
	elsewhere := &configpb.Redis{Address: "other:6379", Database: 3, Tls: true, Prefix: "mine:"}
	want := "redis.address redis.database redis.tls redis.prefix"
	if got := strings.Join(client.Configure(elsewhere, ""), " "); got != want {
		t.Errorf("not followed: %s, want %s", got, want)
	}
	if got := client.Key("a"); got != "switchyard:a" {
		t.Errorf("key %q, want that of the settings at first", got)
	}
}

func TestPasswordIsNeverShown(t *testing.T) {
	const password = "open-sesame"
	server := redistest.Start(t, "--requirepass", "another")
	cfg := server.Config()
	cfg.Username = "default"
	client := open(t, cfg, password)
	err := client.Ping(t.Context()).Err()
	if err == nil {
		t.Fatal("a wrong password is taken")
	}
	shown := fmt.Sprintf("%v %+v %#v %+v %#v %v", client, client, client, client.Options(), *client.Options(), err)
	if strings.Contains(shown, password) {
		t.Errorf("the password is shown: %s", shown)
	}
}

func TestAddress(t *testing.T) {
	for _, address := range []string{"", "redis.internal", "a:b:c"} {
		_, err := redis.Open(&configpb.Redis{Address: address}, "")
		if err == nil || !strings.HasPrefix(err.Error(), "redis.address: ") {
			t.Errorf("%q: error %v, want one that names redis.address", address, err)
		}
	}
}

// The certificate must be of an authority that the system trusts, and of the host.
func TestTLS(t *testing.T) {
	certificate, trusted := certificateOfTests(t)
	t.Setenv("SSL_CERT_FILE", trusted) // read once in a process, at its first handshake
	port := terminateTLS(t, certificate, redistest.Start(t).Address())
	for host, want := range map[string]string{"127.0.0.1": "", "localhost": "x509"} {
		cfg := &configpb.Redis{Address: net.JoinHostPort(host, port), Tls: true, Timeout: durationpb.New(5 * time.Second)}
		err := open(t, cfg, "").Ping(t.Context()).Err()
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", host, err, want)
		}
	}
}

// certificateOfTests is the one of package httptest, for 127.0.0.1 among others, and
// a file to trust it by.
func certificateOfTests(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	name := filepath.Join(t.TempDir(), "trusted.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return server.TLS.Certificates[0], name
}

// terminateTLS carries TLS connections to address in clear, and returns its port.
func terminateTLS(t *testing.T, certificate tls.Certificate, address string) string {
	t.Helper()
	listener, err := tls.Listen("tcp4", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}})
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	t.Cleanup(running.Wait)
	t.Cleanup(func() { _ = listener.Close() })
	running.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer client.Close()
				server, err := net.Dial("tcp", address)
				if err != nil {
					return
				}
				running.Go(func() { _, _ = io.Copy(client, server) })
				_, _ = io.Copy(server, client)
				_ = server.Close()
			})
		}
	})
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return port
}

func TestPausedServerIsNotWaitedFor(t *testing.T) {
	server := redistest.Start(t)
	cfg := server.Config()
	cfg.Timeout = durationpb.New(30 * time.Millisecond)
	client := open(t, cfg, "")
	if err := client.Ping(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	server.Pause()
	for _, name := range []string{"with an open connection", "with a new one"} {
		ctx, cancel := client.Bound(t.Context())
		began := time.Now()
		err := client.Ping(ctx).Err()
		cancel()
		if err == nil {
			t.Errorf("%s: a paused server answers", name)
		}
		if waited := time.Since(began); waited > time.Second {
			t.Errorf("%s: waited for %v, want about 30ms", name, waited)
		}
	}
	server.Resume()
	// A busy machine may take longer than the client waits, more than once.
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for client.Ping(ctx).Err() != nil {
		if ctx.Err() != nil {
			t.Fatal("it went on, and is not asked again")
		}
	}
}

func TestRestartedServerIsFoundAgain(t *testing.T) {
	server := redistest.Start(t)
	client := open(t, server.Config(), "")
	if err := client.Set(t.Context(), "a", "x", 0).Err(); err != nil {
		t.Fatal(err)
	}
	server.Stop()
	if err := client.Ping(t.Context()).Err(); err == nil {
		t.Fatal("a stopped server answers")
	}
	server.Restart()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for client.Ping(ctx).Err() != nil && ctx.Err() == nil {
	}
	if err := client.Get(t.Context(), "a").Err(); !errors.Is(err, goredis.Nil) {
		t.Errorf("error %v, want that the key is not there", err)
	}
}

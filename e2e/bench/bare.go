package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"text/template"
	"time"
)

//go:embed bare.yaml
var bareTemplate string

// bareEnvoy is an Envoy with the gateway's listener and nothing behind it but
// the upstream.
type bareEnvoy struct {
	address string
	command *exec.Cmd
	log     bytes.Buffer // read only once the process has ended
}

// startBareEnvoy returns when requests pass.
func startBareEnvoy(ctx context.Context, binary, directory, upstream string, workers int) (*bareEnvoy, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	config, err := renderBare(address, upstream)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(directory, "bare.yaml")
	if err := os.WriteFile(path, config, 0o600); err != nil {
		return nil, err
	}
	b := &bareEnvoy{address: address}
	b.command = exec.Command(binary, "--config-path", path, "--disable-hot-restart",
		"--log-level", "warning", "--concurrency", strconv.Itoa(workers))
	b.command.Stderr = &b.log
	if err := b.command.Start(); err != nil {
		return nil, fmt.Errorf("start the bare Envoy: %w", err)
	}
	if err := awaitAnswer(ctx, "http://"+address+plainPath(unary)); err != nil {
		b.stop()
		return nil, fmt.Errorf("the bare Envoy does not answer: %w\n%s", err, b.log.String())
	}
	return b, nil
}

func (b *bareEnvoy) stop() {
	_ = b.command.Process.Kill()
	_ = b.command.Wait()
}

// renderBare fills in the addresses, which are "host:port".
func renderBare(listen, upstream string) ([]byte, error) {
	type endpoint struct{ Host, Port string }
	var values struct{ Listen, Upstream endpoint }
	var err1, err2 error
	values.Listen.Host, values.Listen.Port, err1 = net.SplitHostPort(listen)
	values.Upstream.Host, values.Upstream.Port, err2 = net.SplitHostPort(upstream)
	parsed, err3 := template.New("bare.yaml").Parse(bareTemplate)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	var config bytes.Buffer
	err := parsed.Execute(&config, values)
	return config.Bytes(), err
}

// awaitAnswer asks until the answer is 200.
func awaitAnswer(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errors.New("not in time"))
	defer cancel()
	for {
		response, err := http.Post(url, "application/json", bytes.NewReader([]byte("{}")))
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// freeAddress is a loopback address that nobody listens on just now.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}

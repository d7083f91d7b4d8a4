package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// upstreamProcess is an upstream in a process of its own. In the client's, Go's
// scheduler would pass requests from goroutine to goroutine where the kernel is
// to be measured, and on the direct way starve some connections for others.
type upstreamProcess struct {
	address string
	command *exec.Cmd
	stdin   io.Closer
}

func startUpstreamProcess() (*upstreamProcess, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &upstreamProcess{command: exec.Command(self, "-upstream")}
	p.command.Stderr = os.Stderr
	stdin, err1 := p.command.StdinPipe()
	stdout, err2 := p.command.StdoutPipe()
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("start the upstream: %w", err)
	}
	p.stdin = stdin
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the upstream does not say where it is: %w", err), p.close())
	}
	p.address = strings.TrimSpace(line)
	return p, nil
}

func (p *upstreamProcess) close() error {
	return errors.Join(p.stdin.Close(), p.command.Wait())
}

// serveUpstream is that process. It ends with its standard input, so that it
// does not outlive a client that was killed.
func serveUpstream(stdin io.Reader, stdout io.Writer) error {
	u, err := startUpstream()
	if err != nil {
		return err
	}
	defer u.close()
	if _, err := fmt.Fprintln(stdout, u.address()); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, stdin)
	return err
}

// awaitIdle waits until an upstream writes no stream. It is how the cancellation
// of streams whose clients have hung up shows.
func awaitIdle(upstream string) error {
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		streams, err := openStreams(upstream)
		if err != nil {
			return err
		}
		if streams == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d streams still reach the upstream %s after their clients hung up", streams, patience)
		}
	}
}

func openStreams(upstream string) (int, error) {
	response, err := http.Post("http://"+upstream+plainPath(open), "text/plain", http.NoBody)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(text))
}

// Command bench compares three ways to one fake upstream in one run: directly,
// through a bare Envoy, and through the gateway. It prints a report in Markdown
// and writes it to a file.
//
// Read it in this order: main.go, scenario.go (what is measured), load.go and
// streams.go (how), report.go.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/switchyard/switchyard/e2e/gateway"
	"github.com/switchyard/switchyard/envoy"
)

// options are the command line.
type options struct {
	rounds    int
	duration  time.Duration
	accessLog bool
	out       string
	profile   string
}

func main() {
	var o options
	flag.IntVar(&o.rounds, "rounds", 5, "how often each load is put on each way; figures are medians over the rounds")
	flag.DurationVar(&o.duration, "duration", time.Second, "of one load on one way in one round")
	flag.BoolVar(&o.accessLog, "access-log", true, "leave the gateway's access log on")
	flag.StringVar(&o.out, "out", "e2e/bench/RESULTS.md", "the file to write the report to")
	flag.StringVar(&o.profile, "profile", "", "write profiles of the processor into this directory instead of comparing")
	serve := flag.Bool("upstream", false, "be the upstream of another benchmark, until standard input ends")
	flag.Parse()
	if *serve {
		if err := serveUpstream(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "bench: upstream:", err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := bench(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// profiledFor is long enough for some thousand samples.
const profiledFor = 10 * time.Second

// bench makes one whole run.
func bench(ctx context.Context, o options) (err error) {
	if o.rounds < 1 || o.duration < 100*time.Millisecond {
		return errors.New("want at least one round, of at least 100ms for each load")
	}
	directory, err := os.MkdirTemp("", "switchyard-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(directory)
	s, err := setUp(ctx, o, directory)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if o.profile != "" {
		return s.profile(ctx, o.profile, directory, profiledFor)
	}
	r, err := s.run(ctx, o)
	if err != nil {
		return err
	}
	if r.scale, err = measureScale(ctx, s.binary, s.envoy, directory); err != nil {
		return err
	}
	if r.limits, err = measureLimits(ctx); err != nil {
		return err
	}
	report := r.markdown()
	fmt.Print(report)
	return os.WriteFile(o.out, []byte(report), 0o644)
}

// site is everything that a run needs, up and running.
type site struct {
	upstream *upstreamProcess
	bare     *bareEnvoy
	gateway  *gateway.Gateway
	machine  machine
	ways     []*way // direct, bare, through
	binary   string // of switchyard
	envoy    string // likewise
}

func setUp(ctx context.Context, o options, directory string) (s *site, err error) {
	s = &site{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	build := func() (string, error) { return gateway.Build(ctx, directory, "-buildvcs=auto") }
	if o.profile != "" {
		build = func() (string, error) { return buildProfiled(ctx, directory) }
	}
	binary, err := build()
	if err != nil {
		return s, err
	}
	found, err := envoy.Find(ctx, "")
	if err != nil {
		return s, err
	}
	s.binary, s.envoy = binary, found.Path
	s.machine = describeMachine(ctx, binary, found.Version)
	if s.upstream, err = startUpstreamProcess(); err != nil {
		return s, err
	}
	workers := runtime.NumCPU()
	if s.bare, err = startBareEnvoy(ctx, found.Path, directory, s.upstream.address, workers); err != nil {
		return s, err
	}
	if s.gateway, err = startGateway(ctx, binary, found.Path, directory, s.upstream.address, workers, o.accessLog); err != nil {
		return s, err
	}
	gatewayEnvoy, err := s.gateway.EnvoyPID()
	if err != nil {
		return s, err
	}
	s.ways = []*way{
		direct:  {name: "direct", address: s.upstream.address, path: plainPath},
		bare:    {name: "bare Envoy", address: s.bare.address, path: plainPath, envoy: s.bare.command.Process.Pid},
		through: {name: "gateway", address: s.gateway.URL[len("http://"):], path: gatewayPath, envoy: gatewayEnvoy, processor: s.gateway.PID()},
	}
	for _, w := range s.ways {
		w.upstream = s.upstream.address
	}
	return s, nil
}

// close stops what runs. It fails if the gateway does not exit cleanly.
func (s *site) close() (err error) {
	if s.gateway != nil {
		err = s.gateway.Stop()
	}
	if s.bare != nil {
		s.bare.stop()
	}
	if s.upstream != nil {
		err = errors.Join(err, s.upstream.close())
	}
	return err
}

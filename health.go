package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/switchyard/switchyard/envoy"
	"github.com/switchyard/switchyard/policies/api"
	"github.com/switchyard/switchyard/policies/config"
)

// checks are what GET /health shows. A configuration that was refused is shown,
// but the gateway serves on with the last good one, and stays ready.
func (g *gateway) checks() []api.Check {
	state := g.store.State()
	pushed := g.xds.Status()
	checks := []api.Check{
		{Name: "configuration", OK: true, Detail: "generation " + g.current.Load().effective.Generation()},
		{Name: "xds", OK: pushed.Good != "" && pushed.Nodes > 0, Detail: fmt.Sprintf("version %s, %d envoys connected", pushed.Version, pushed.Nodes)},
	}
	if g.managed.store != nil {
		checks = append(checks, g.managed.check())
	}
	if g.account != nil {
		checks = append(checks, g.databaseCheck(), g.account.check())
	}
	var problems config.Problems
	if errors.As(state.Err, &problems) {
		// Where and which field, not what stands there: anyone may read this.
		var fields []string
		for _, problem := range problems {
			fields = append(fields, fmt.Sprintf("line %d %s", problem.Line, problem.Field))
		}
		checks[0].Detail += "; the newest file was refused, the log says why: " + strings.Join(fields, ", ")
	} else if state.Err != nil {
		checks[0].Detail += fmt.Sprintf("; the newest file was refused at %s, the log says why", state.FailedAt.UTC().Format(time.RFC3339))
	}
	if pushed.Nack != "" {
		checks[1].Detail += "; " + pushed.Nack
	}
	if g.envoy != nil {
		child := g.envoy.State()
		check := api.Check{Name: "envoy", OK: child.Running, Detail: child.Reason}
		if child.Running {
			check.Detail = fmt.Sprintf("pid %d, up %s, %d restarts", child.PID, time.Since(child.Since).Round(time.Second), child.Restarts)
		}
		checks = append(checks, check)
	}
	return checks
}

// databaseCheck is fine without a database: what requests come to waits in the journal.
func (g *gateway) databaseCheck() api.Check {
	if g.managed.watcher.Failed() {
		return api.Check{Name: "database", OK: true, Detail: "cannot be read; the log says why"}
	}
	return api.Check{Name: "database", OK: true, Detail: "can be read"}
}

// envoyCommand is for people who run their own Envoy.
func envoyCommand() *cobra.Command {
	command := &cobra.Command{Use: "envoy", Short: "For an Envoy that you run yourself"}
	var runDirectory string
	bootstrap := &cobra.Command{
		Use:   "bootstrap",
		Short: `Print the bootstrap for your Envoy, to go with "switchyard run --envoy=external"`,
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if runDirectory == "" {
				return fmt.Errorf("%w: name the directory of the sockets with --run-dir", errUsage)
			}
			g := gateway{runOptions: runOptions{runDirectory: runDirectory}}
			if _, err := g.directory(); err != nil {
				return err
			}
			text, err := envoy.Bootstrap(g.sockets)
			if err != nil {
				return err
			}
			return write(command.OutOrStdout(), append(text, '\n'))
		},
	}
	bootstrap.Flags().StringVar(&runDirectory, "run-dir", "", "the directory that the gateway is run with")
	command.AddCommand(bootstrap)
	return command
}

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/switchyard/switchyard/extproc"
	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/config"
	"github.com/switchyard/switchyard/policies/health"
	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/preset"
	"github.com/switchyard/switchyard/policies/routing"
)

// explainCommand plans a request as the gateway would, without asking anyone.
func explainCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "explain REQUEST.json",
		Short: "Show which endpoints a request would be sent to, and why not to others",
		Long: "Plans a Chat Completions request (\"-\" is standard input) as the gateway would, and shows the\n" +
			"order of endpoints and what left out the others. Nothing is sent to anyone; of the endpoints'\n" +
			"health nothing is known here, so they all count as healthy.",
		Args: cobra.ExactArgs(1),
	}
	path := configFlag(command)
	key := command.Flags().String("key", "", "name of the key that the request comes with (default: one without a policy and without presets of its own)")
	stateDirectory := command.Flags().String("state-dir", ".switchyard", "directory with the presets that clients created")
	seed := command.Flags().Uint64("seed", 1, "what decides where the order is left to chance")
	command.RunE = func(command *cobra.Command, arguments []string) error {
		body, err := readInput(command.InOrStdin(), arguments[0])
		if err != nil {
			return err
		}
		effective, err := config.Load(path(), config.Options{})
		if err != nil {
			return err
		}
		current, err := newGeneration(effective, "/run/switchyard/api.sock")
		if err != nil {
			return fmt.Errorf("%w: %w", errConfiguration, err)
		}
		presets, err := preset.Open(filepath.Join(*stateDirectory, "presets.json"))
		if err == nil {
			err = presets.Configure(effective.Config())
		}
		if err != nil {
			return err
		}
		caller := &identity.Key{}
		if *key != "" {
			if caller, err = current.policy.Keys.Named(*key); err != nil {
				return fmt.Errorf("%w: --key: %w", errUsage, err)
			}
		}
		request, err := extproc.Parse(clients["/api/v1/chat/completions"], body, func(slug string) (dialect.Preset, bool) {
			return presetIn(presets)(caller, slug)
		})
		if err != nil {
			return err
		}
		plan, err := current.policy.Plan(extproc.Asked{Request: request, Key: caller, Seed: *seed, Now: time.Now()}, health.New(health.Options{}))
		var none *routing.NoEndpointError
		if errors.As(err, &none) {
			printFunnel(command.OutOrStdout(), none.Funnel)
			printDropped(command.OutOrStdout(), none.Dropped)
			if none.Hint != "" {
				return fmt.Errorf("%w %s", err, none.Hint)
			}
			return err
		}
		if err != nil {
			return err
		}
		printPlan(command.OutOrStdout(), request, plan)
		return nil
	}
	return command
}

func readInput(standard io.Reader, name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(standard)
	}
	return os.ReadFile(name)
}

func printPlan(out io.Writer, request *dialect.Request, plan routing.Plan) {
	fmt.Fprintf(out, "%s is answered by (strategy %s):\n\n", plan.Requested, plan.Strategy)
	table := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "  #\tMODEL\tENDPOINT\t$/M IN\t$/M OUT\tQUANTIZATION\tREGION\tWHY HERE")
	for i, candidate := range plan.Candidates {
		endpoint := candidate.Endpoint
		fmt.Fprintf(table, "  %d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", i+1, candidate.Model.ID, endpoint.Tag,
			endpoint.Prices.Prompt.Mul(1_000_000), endpoint.Prices.Completion.Mul(1_000_000),
			endpoint.Quantization, region(endpoint), reason(candidate))
	}
	_ = table.Flush()
	printFunnel(out, plan.Funnel)
	printDropped(out, plan.Dropped)
}

func reason(candidate routing.Candidate) string {
	if candidate.WebSearch {
		return candidate.Reason.String() + ", to search the web"
	}
	return candidate.Reason.String()
}

func region(endpoint *catalog.Endpoint) string {
	if endpoint.Region == "" {
		return "-"
	}
	return endpoint.Region
}

func printFunnel(out io.Writer, funnel []routing.Stage) {
	fmt.Fprint(out, "\nEndpoints left after each step:\n\n")
	table := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	for _, stage := range funnel {
		fmt.Fprintf(table, "  %d\t%s\n", stage.Endpoints, stage.Step)
	}
	_ = table.Flush()
}

func printDropped(out io.Writer, dropped []routing.Dropped) {
	if len(dropped) == 0 {
		return
	}
	fmt.Fprint(out, "\nLeft out:\n\n")
	table := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	for _, d := range dropped {
		fmt.Fprintf(table, "  %s\t%s\t%s\n", d.Endpoint.ID, d.Step, d.Reason)
	}
	_ = table.Flush()
}

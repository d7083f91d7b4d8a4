// Switchyard is a self-hosted LLM gateway inside Envoy: one API over every
// provider, with failover before the first byte.
//
// This file is the command line. run.go wires the parts of a running gateway.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/switchyard/switchyard/policies/config"
)

// Exit codes: 0 for success, 1 for a failure, 2 for a configuration or command
// line that is wrong.
const (
	exitFailure = 1
	exitUsage   = 2
)

// errUsage marks an error as the caller's.
var errUsage = errors.New("wrong command line")

// errConfiguration marks a configuration that the loader takes and the rooms
// that use it do not.
var errConfiguration = errors.New("wrong configuration")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
	root := command()
	understood := false
	root.PersistentPreRun = func(*cobra.Command, []string) { understood = true }
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "switchyard:", err)
		var problems config.Problems
		if !understood || errors.Is(err, errUsage) || errors.Is(err, errConfiguration) || errors.As(err, &problems) {
			os.Exit(exitUsage)
		}
		os.Exit(exitFailure)
	}
}

func command() *cobra.Command {
	root := &cobra.Command{
		Use:           "switchyard",
		Short:         "A self-hosted LLM gateway inside Envoy",
		Long:          "One API over every LLM provider, inside your own Envoy, with failover before the first byte.",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return fmt.Errorf("%w: %w", errUsage, err) })
	root.AddCommand(runCommand(), checkCommand(), explainCommand(), configCommand(), catalogCommand(), keysCommand(), byokCommand(), orgsCommand(), usageCommand(), creditsCommand(), auditCommand(), envoyCommand(), versionCommand())
	return root
}

// defaultConfig is used if it exists and no other file is named.
const defaultConfig = "switchyard.yaml"

// configFlag adds --config and returns where its value is found.
func configFlag(command *cobra.Command) func() string {
	path := command.Flags().StringP("config", "c", "", "configuration file (default: "+defaultConfig+" if there is one, else the environment)")
	return func() string {
		if *path != "" {
			return *path
		}
		if _, err := os.Stat(defaultConfig); err == nil {
			return defaultConfig
		}
		return ""
	}
}

func runCommand() *cobra.Command {
	var options runOptions
	command := &cobra.Command{
		Use:   "run",
		Short: "Run the gateway until Ctrl-C",
		Long: `Run the gateway: Envoy, the processor and the API.

Without a configuration file, the providers whose keys are in the environment
are used (OPENAI_API_KEY, ANTHROPIC_API_KEY, ...); without any, demo providers
answer. SIGINT and SIGTERM drain and stop.

The configuration is read again, with the certificates and secrets in the files
that it names, when one of them changes and on SIGHUP. What does not take effect
before a restart is named in the log.`,
		Args: cobra.NoArgs,
	}
	path := configFlag(command)
	flags := command.Flags()
	flags.StringVar(&options.listen, "listen", "", "address to listen on, instead of the configuration's")
	flags.StringVar(&options.envoy, "envoy", "child", `"child" runs Envoy; "external" leaves that to you (see "switchyard envoy bootstrap")`)
	flags.StringVar(&options.envoyPath, "envoy-path", "", "the envoy binary to run (default: ENVOY_PATH, PATH, or what make installed)")
	flags.StringVar(&options.runDirectory, "run-dir", "", "private directory for sockets (default: a new one; needed with --envoy=external)")
	flags.StringVar(&options.stateDirectory, "state-dir", ".switchyard", "directory for what the gateway keeps: the ledger, presets that clients create, and the key made when there is no configuration file")
	command.RunE = func(command *cobra.Command, _ []string) error {
		if options.envoy != "child" && options.envoy != "external" {
			return fmt.Errorf("%w: --envoy=%s: say child or external", errUsage, options.envoy)
		}
		if options.envoy == "external" && options.runDirectory == "" {
			return fmt.Errorf("%w: --envoy=external needs --run-dir, the directory that your Envoy's bootstrap names", errUsage)
		}
		options.configPath = path()
		options.out = command.OutOrStdout()
		return run(command.Context(), options)
	}
	return command
}

func checkCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "check",
		Short: "Check a configuration; the exit code is 2 if it is wrong",
		Args:  cobra.NoArgs,
	}
	path := configFlag(command)
	command.RunE = func(command *cobra.Command, _ []string) error {
		effective, err := config.Load(path(), config.Options{})
		if err != nil {
			return err
		}
		for _, warning := range effective.Warnings() {
			fmt.Fprintln(command.ErrOrStderr(), "warning:", warning)
		}
		// What the loader cannot see, the rooms that use the configuration can.
		if _, err := newGeneration(effective, "/run/switchyard/api.sock"); err != nil {
			return fmt.Errorf("%w: %w", errConfiguration, err)
		}
		fmt.Fprintf(command.OutOrStdout(), "ok: %d providers, %d models, %d keys, generation %s\n",
			len(effective.Config().GetProviders()), len(effective.Config().GetModels()), len(effective.Config().GetKeys()), effective.Generation())
		return nil
	}
	return command
}

func configCommand() *cobra.Command {
	command := &cobra.Command{Use: "config", Short: "Show the configuration or its schema"}
	print := &cobra.Command{
		Use:   "print",
		Short: "Print the effective configuration, secrets redacted",
		Args:  cobra.NoArgs,
	}
	path := configFlag(print)
	print.RunE = func(command *cobra.Command, _ []string) error {
		effective, err := config.Load(path(), config.Options{})
		if err != nil {
			return err
		}
		return write(command.OutOrStdout(), config.Print(effective))
	}
	schema := &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of configuration files, for editors",
		Args:  cobra.NoArgs,
		RunE:  func(command *cobra.Command, _ []string) error { return write(command.OutOrStdout(), config.Schema()) },
	}
	command.AddCommand(print, schema)
	return command
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(command.OutOrStdout(), "switchyard", version())
			return err
		},
	}
}

// version is the module's, or the commit it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			return setting.Value[:min(12, len(setting.Value))] + " " + info.GoVersion
		}
	}
	return info.Main.Version + " " + info.GoVersion
}

func write(out io.Writer, text []byte) error {
	_, err := out.Write(text)
	return err
}

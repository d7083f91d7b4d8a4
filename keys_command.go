package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/switchyard/switchyard/policies/identity"
)

func keysCommand() *cobra.Command {
	command := &cobra.Command{Use: "keys", Short: "Make keys for clients of the gateway"}
	var management bool
	create := &cobra.Command{
		Use:   "create NAME",
		Short: "Make a key: it is shown once, its hash goes into the configuration",
		Args:  cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, arguments []string) error {
			plaintext, hash := identity.NewKey()
			out := command.OutOrStdout()
			_, err := fmt.Fprintf(out, "Key, shown only now:\n  %s\n\nFor the configuration:\n  keys:\n    - name: %q\n      hash: %s\n", plaintext, arguments[0], hash)
			if err == nil && management {
				_, err = fmt.Fprintln(out, "      management: true")
			}
			return err
		},
	}
	create.Flags().BoolVar(&management, "management", false, "the key makes and changes other keys over the API, and asks no model")
	command.AddCommand(create)
	return command
}

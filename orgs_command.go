package main

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"
)

// orgsCommand is for operators: the management keys of the configuration.
func orgsCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "orgs",
		Short: "Make organisations at a running gateway",
		Long: `Make organisations at a running gateway, each with keys, workspaces and members that
no other sees. It takes a management key of the gateway's configuration in ` + managementVariable + `.`,
	}
	client := apiFlag(command)
	type organization struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}
	command.AddCommand(&cobra.Command{
		Use:   "list",
		Short: "List the organisations",
		Args:  cobra.NoArgs,
		RunE: withAPI(client, func(command *cobra.Command, c *apiClient, _ []string) error {
			all, err := pages[organization](command.Context(), c, "/organizations?limit=100")
			if err != nil {
				return err
			}
			return table(command.OutOrStdout(), "NAME\tID", all, func(o organization) []any { return []any{o.Name, o.ID} })
		}),
	}, &cobra.Command{
		Use:   "create NAME",
		Short: "Make an organisation; the management key of its owner is shown once",
		Args:  cobra.ExactArgs(1),
		RunE: withAPI(client, func(command *cobra.Command, c *apiClient, arguments []string) error {
			var made struct {
				Data organization `json:"data"`
				Key  string       `json:"key"`
			}
			if err := c.call(command.Context(), http.MethodPost, "/organizations", map[string]any{"name": arguments[0]}, &made); err != nil {
				return err
			}
			_, err := fmt.Fprintf(command.OutOrStdout(), "Management key of its owner, shown only now:\n  %s\n\nid %s\n", made.Key, made.Data.ID)
			return err
		}),
	}, addOwnerCommand(client))
	return command
}

func addOwnerCommand(client func() (*apiClient, error)) *cobra.Command {
	var name string
	command := &cobra.Command{
		Use:   "owner ID",
		Short: "Make another owner's management key for an organisation that has lost its own; it is shown once",
		Args:  cobra.ExactArgs(1),
		RunE: withAPI(client, func(command *cobra.Command, c *apiClient, arguments []string) error {
			return printSecret(command, c, "/organizations/"+url.PathEscape(arguments[0])+"/owners", map[string]any{"name": name})
		}),
	}
	command.Flags().StringVar(&name, "name", "owner", "what the key is called")
	return command
}

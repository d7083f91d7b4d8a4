package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"
)

// shownOwnKey is what the commands show of a customer's own key of a provider.
type shownOwnKey struct {
	ID         string `json:"id"`
	Provider   string `json:"provider"`
	Name       string `json:"name"`
	Label      string `json:"label"`
	Workspace  string `json:"workspace_id"`
	Disabled   bool   `json:"disabled"`
	IsFallback bool   `json:"is_fallback"`
	IsOnly     bool   `json:"is_byok_only"`
	IsRequired bool   `json:"is_required"`
	SortOrder  int64  `json:"sort_order"`
}

// use says when the key is used.
func (k *shownOwnKey) use() string {
	switch {
	case k.Disabled:
		return "never: disabled"
	case k.IsOnly:
		return "alone"
	case k.IsRequired:
		return "alone, for its models"
	case k.IsFallback:
		return "last"
	}
	return "first"
}

func byokCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "byok",
		Short: "Manage an organisation's own keys of providers",
		Long: `Manage an organisation's own keys of providers at a running gateway, with the management
key in ` + managementVariable + `.`,
	}
	client := apiFlag(command)
	command.AddCommand(addOwnKeyCommand(client), listOwnKeysCommand(client), &cobra.Command{
		Use:   "delete ID",
		Short: "Delete a key, with what a provider takes of it",
		Args:  cobra.ExactArgs(1),
		RunE: withAPI(client, func(command *cobra.Command, c *apiClient, arguments []string) error {
			return c.call(command.Context(), http.MethodDelete, "/byok/"+url.PathEscape(arguments[0]), nil, &jsontext.Value{})
		}),
	}, &cobra.Command{
		Use:   "reseal",
		Short: "Encrypt anew what byok.previous_encryption_key encrypted, in all organisations",
		Args:  cobra.NoArgs,
		RunE: withAPI(client, func(command *cobra.Command, c *apiClient, _ []string) error {
			var done struct {
				Resealed int `json:"resealed"`
			}
			if err := c.call(command.Context(), http.MethodPost, "/byok/reseal", nil, &done); err != nil {
				return err
			}
			_, err := fmt.Fprintf(command.OutOrStdout(), "%d keys are encrypted anew.\n", done.Resealed)
			return err
		}),
	})
	return command
}

// longestOwnKey is more than the API takes.
const longestOwnKey = 64 << 10

func addOwnKeyCommand(client func() (*apiClient, error)) *cobra.Command {
	var name, workspace string
	var everywhere, fallback, only, required bool
	var models []string
	command := &cobra.Command{
		Use:   "add PROVIDER",
		Short: "Add a key, which is read from standard input",
		Example: `  switchyard byok add openai --name prod < key.txt
  switchyard byok add bedrock --models "anthropic/*" < access-keys.json`,
		Args: cobra.ExactArgs(1),
	}
	flags := command.Flags()
	flags.StringVar(&name, "name", "", "what people call it")
	flags.StringVar(&workspace, "workspace", "", "id or slug of the only workspace that may use it (default: the default one)")
	flags.BoolVar(&everywhere, "everywhere", false, "all workspaces may use it")
	flags.BoolVar(&fallback, "fallback", false, "use it after the gateway's own key, not before")
	flags.BoolVar(&only, "only", false, "never use the gateway's own key at this provider")
	flags.BoolVar(&required, "required", false, "never use the gateway's own key for the models that this one is for")
	flags.StringSliceVar(&models, "models", nil, "what it is for, such as openai/* (default: all)")
	command.MarkFlagsMutuallyExclusive("workspace", "everywhere")
	command.MarkFlagsMutuallyExclusive("fallback", "only")
	command.RunE = withAPI(client, func(command *cobra.Command, c *apiClient, arguments []string) error {
		key, err := io.ReadAll(io.LimitReader(command.InOrStdin(), longestOwnKey))
		if err != nil {
			return err
		}
		members := map[string]any{
			"provider": arguments[0], "key": strings.TrimSpace(string(key)),
			"is_fallback": fallback, "is_byok_only": only, "is_required": required,
		}
		if name != "" {
			members["name"] = name
		}
		if len(models) > 0 {
			members["allowed_models"] = models
		}
		if everywhere {
			members["workspace_id"] = nil
		} else if workspace != "" {
			members["workspace_id"] = workspace
		}
		var made struct {
			Data shownOwnKey `json:"data"`
		}
		if err := c.call(command.Context(), http.MethodPost, "/byok", members, &made); err != nil {
			return err
		}
		_, err = fmt.Fprintf(command.OutOrStdout(), "%s of %s is used %s; id %s\n", made.Data.Label, made.Data.Provider, made.Data.use(), made.Data.ID)
		return err
	})
	return command
}

func listOwnKeysCommand(client func() (*apiClient, error)) *cobra.Command {
	var workspace string
	command := &cobra.Command{
		Use:   "list",
		Short: "List what a workspace may use, masked",
		Args:  cobra.NoArgs,
	}
	command.Flags().StringVar(&workspace, "workspace", "", "id or slug of the workspace (default: the default one)")
	command.RunE = withAPI(client, func(command *cobra.Command, c *apiClient, _ []string) error {
		keys, err := c.ownKeys(command.Context(), workspace)
		if err != nil {
			return err
		}
		return table(command.OutOrStdout(), "PROVIDER\tORDER\tNAME\tLABEL\tUSED\tWORKSPACE\tID", keys, func(k shownOwnKey) []any {
			return []any{k.Provider, k.SortOrder, cmp.Or(k.Name, "-"), k.Label, k.use(), cmp.Or(k.Workspace, "all"), k.ID}
		})
	})
	return command
}

func (c *apiClient) ownKeys(ctx context.Context, workspace string) ([]shownOwnKey, error) {
	return pages[shownOwnKey](ctx, c, "/byok?workspace_id="+url.QueryEscape(workspace))
}

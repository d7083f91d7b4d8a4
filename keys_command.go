package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"github.com/switchyard/switchyard/policies/identity"
	"github.com/switchyard/switchyard/policies/money"
)

// shownKey is what the commands show of a managed key.
type shownKey struct {
	Hash       string     `json:"hash"`
	Label      string     `json:"label"`
	Name       string     `json:"name"`
	Role       string     `json:"role"`
	Disabled   bool       `json:"disabled"`
	Limit      *money.USD `json:"limit"`
	LimitReset string     `json:"limit_reset"`
	Usage      money.USD  `json:"usage"`
	ExpiresAt  *time.Time `json:"expires_at"`
}

func keysCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "keys",
		Short: "Make keys for clients of the gateway, and manage them",
		Long: `Make keys for clients of the gateway, and manage them.

"create" needs no gateway: its key goes into the configuration. The others ask a
running gateway, with the management key in ` + managementVariable + `; KEY is a hash,
the beginning of one, or a name.`,
	}
	client := apiFlag(command)
	command.AddCommand(createKeyCommand(), addKeyCommand(client), listKeysCommand(client), rotateKeyCommand(client),
		keyChange(client, "disable", "Refuse a key from now on", func(ctx context.Context, c *apiClient, hash string) error {
			return c.call(ctx, http.MethodPatch, "/keys/"+hash, map[string]any{"disabled": true}, &jsontext.Value{})
		}),
		keyChange(client, "enable", "Take a disabled key again", func(ctx context.Context, c *apiClient, hash string) error {
			return c.call(ctx, http.MethodPatch, "/keys/"+hash, map[string]any{"disabled": false}, &jsontext.Value{})
		}),
		keyChange(client, "delete", "Delete a key; what it used stays in the ledger", func(ctx context.Context, c *apiClient, hash string) error {
			return c.call(ctx, http.MethodDelete, "/keys/"+hash, nil, &jsontext.Value{})
		}))
	return command
}

func createKeyCommand() *cobra.Command {
	var management bool
	command := &cobra.Command{
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
	command.Flags().BoolVar(&management, "management", false, "the key makes and changes other keys over the API, and asks no model")
	return command
}

func addKeyCommand(client func() (*apiClient, error)) *cobra.Command {
	var limit, reset, expires, role, workspace, member string
	var nobodys bool
	var models, providers, ips []string
	command := &cobra.Command{
		Use:   "add NAME",
		Short: "Make a key at a running gateway; it is shown once",
		Args:  cobra.ExactArgs(1),
	}
	flags := command.Flags()
	flags.StringVar(&limit, "limit", "", "the most that it may spend, in US dollars with up to 9 digits after the point")
	flags.StringVar(&reset, "limit-reset", "", "when the limit begins anew: daily, weekly, monthly or never (default: never)")
	flags.StringVar(&expires, "expires", "", "when it ends: a time in UTC such as 2030-01-31T00:00:00Z")
	flags.StringVar(&role, "role", "", "make a management key: owner, admin, developer, billing or viewer")
	flags.StringVar(&workspace, "workspace", "", "id or slug of its workspace (default: the default one)")
	flags.StringVar(&member, "member", "", "address or id of the member whose key it is (default: the one whose management key makes it)")
	flags.BoolVar(&nobodys, "nobodys", false, "it is no member's, and stays when the one who makes it leaves")
	command.MarkFlagsMutuallyExclusive("member", "nobodys")
	flags.StringSliceVar(&models, "models", nil, "what it may ask for, such as openai/*")
	flags.StringSliceVar(&providers, "providers", nil, "who may answer it")
	flags.StringSliceVar(&ips, "ips", nil, "addresses and networks that it may be used from")
	command.RunE = withAPI(client, func(command *cobra.Command, c *apiClient, arguments []string) error {
		members := map[string]any{"name": arguments[0]}
		if limit != "" {
			amount, err := identity.ParseBudget(limit)
			if err != nil {
				return fmt.Errorf("%w: --limit %w", errUsage, err)
			}
			members["limit"] = amount
		}
		if reset == "never" { // which the API says by leaving it out
			reset = ""
		}
		for name, value := range map[string]string{"limit_reset": reset, "expires_at": expires, "role": role, "workspace_id": workspace} {
			if value != "" {
				members[name] = value
			}
		}
		if nobodys {
			members["creator_user_id"] = nil
		} else if member != "" {
			id, err := c.findMember(command.Context(), member)
			if err != nil {
				return err
			}
			members["creator_user_id"] = id
		}
		for name, list := range map[string][]string{"allowed_models": models, "allowed_providers": providers, "allowed_ips": ips} {
			if len(list) > 0 {
				members[name] = list
			}
		}
		return printSecret(command, c, "/keys", members)
	})
	return command
}

// printSecret asks for a key and shows it.
func printSecret(command *cobra.Command, c *apiClient, path string, members map[string]any) error {
	var made struct {
		Data     shownKey   `json:"data"`
		Key      string     `json:"key"`
		Previous *time.Time `json:"previous_expires_at"`
	}
	if err := c.call(command.Context(), http.MethodPost, path, members, &made); err != nil {
		return err
	}
	out := command.OutOrStdout()
	_, err := fmt.Fprintf(out, "Key, shown only now:\n  %s\n\nhash %s\n", made.Key, made.Data.Hash)
	if err == nil && made.Previous != nil {
		_, err = fmt.Fprintf(out, "the key before is good until %s\n", made.Previous.Format(time.RFC3339))
	}
	return err
}

func listKeysCommand(client func() (*apiClient, error)) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the keys of a running gateway, but those of its configuration",
		Args:  cobra.NoArgs,
		RunE: withAPI(client, func(command *cobra.Command, c *apiClient, _ []string) error {
			keys, err := c.keys(command.Context())
			if err != nil {
				return err
			}
			return table(command.OutOrStdout(), "NAME\tHASH\tLABEL\tROLE\tSTATE\tUSED\tLIMIT\tEXPIRES", keys, func(k shownKey) []any {
				state, limit, expires := "enabled", "-", "-"
				if k.Disabled {
					state = "disabled"
				}
				if k.Limit != nil {
					limit = strings.TrimSpace("$" + k.Limit.String() + " " + k.LimitReset)
				}
				if k.ExpiresAt != nil {
					expires = k.ExpiresAt.Format(time.RFC3339)
				}
				return []any{k.Name, k.Hash[:min(12, len(k.Hash))], k.Label, cmp.Or(k.Role, "-"), state, "$" + k.Usage.String(), limit, expires}
			})
		}),
	}
}

func rotateKeyCommand(client func() (*apiClient, error)) *cobra.Command {
	var overlap time.Duration
	command := &cobra.Command{
		Use:   "rotate KEY",
		Short: "Give a key a new secret; it keeps its hash, its limit and what it used",
		Args:  cobra.ExactArgs(1),
	}
	command.Flags().DurationVar(&overlap, "overlap", 24*time.Hour, "how long the secret before stays good, up to 720h")
	command.RunE = withAPI(client, func(command *cobra.Command, c *apiClient, arguments []string) error {
		hash, err := c.find(command.Context(), arguments[0])
		if err != nil {
			return err
		}
		return printSecret(command, c, "/keys/"+hash+"/rotate", map[string]any{"overlap_seconds": int64(overlap / time.Second)})
	})
	return command
}

func keyChange(client func() (*apiClient, error), verb, short string, change func(ctx context.Context, c *apiClient, hash string) error) *cobra.Command {
	return &cobra.Command{
		Use:   verb + " KEY",
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: withAPI(client, func(command *cobra.Command, c *apiClient, arguments []string) error {
			hash, err := c.find(command.Context(), arguments[0])
			if err != nil {
				return err
			}
			return change(command.Context(), c, hash)
		}),
	}
}

// keys are all managed keys.
func (c *apiClient) keys(ctx context.Context) ([]shownKey, error) {
	return pages[shownKey](ctx, c, "/keys?include_disabled=true")
}

// find returns the hash of the one key that has a name, or whose hash begins so.
func (c *apiClient) find(ctx context.Context, wanted string) (string, error) {
	keys, err := c.keys(ctx)
	if err != nil {
		return "", err
	}
	var found []string
	for _, k := range keys {
		if k.Name == wanted || wanted != "" && strings.HasPrefix(k.Hash, wanted) {
			found = append(found, k.Hash)
		}
	}
	switch len(found) {
	case 0:
		return "", fmt.Errorf("no managed key is called %q, and the hash of none begins so", wanted)
	case 1:
		return found[0], nil
	}
	return "", fmt.Errorf("%q is one of %d keys; say more of the hash: %s", wanted, len(found), strings.Join(found, ", "))
}

// findMember returns the id of the member with an address, or with the id.
func (c *apiClient) findMember(ctx context.Context, wanted string) (string, error) {
	type member struct {
		ID    string `json:"id"`
		Email string `json:"email"`
	}
	members, err := pages[member](ctx, c, "/organization/members?limit=100")
	if err != nil {
		return "", err
	}
	for _, m := range members {
		if m.ID == wanted || strings.EqualFold(m.Email, wanted) {
			return m.ID, nil
		}
	}
	return "", fmt.Errorf("no member of the organisation has the address or id %q", wanted)
}

// table prints rows in columns. Names are whatever somebody gave: what would move the
// terminal's cursor, or end a row or a column, is escaped.
func table[Row any](out io.Writer, header string, rows []Row, columns func(Row) []any) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, header)
	for _, row := range rows {
		values := columns(row)
		for i, value := range values {
			values[i] = printable(fmt.Sprint(value))
		}
		fmt.Fprintf(w, strings.TrimSuffix(strings.Repeat("%v\t", len(values)), "\t")+"\n", values...)
	}
	return w.Flush()
}

// printable is text as it is, or quoted as in Go where not all of it can be printed.
func printable(text string) string {
	if strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) }) || !utf8.ValidString(text) {
		return strconv.Quote(text)
	}
	return text
}

package main

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"github.com/switchyard/switchyard/policies/money"
)

// usageCommand tells what was used, from the ledger of a running gateway.
func usageCommand() *cobra.Command {
	var from, to, key string
	var by []string
	command := &cobra.Command{
		Use:   "usage",
		Short: "Show what was used, by day, key and model",
		Long:  "Show what was used, by day, key and model, from a running gateway. It needs a management key in " + managementVariable + ".",
		Args:  cobra.NoArgs,
	}
	client := apiFlag(command)
	flags := command.Flags()
	flags.StringVar(&from, "from", "", "first day in UTC, such as 2026-11-01 (default: 30 days ago)")
	flags.StringVar(&to, "to", "", "last day in UTC (default: today)")
	flags.StringVar(&key, "key", "", "hash of the one key to show")
	flags.StringSliceVar(&by, "by", []string{"day", "key", "model"}, "what to sum by: day, key, model, workspace")
	command.RunE = withAPI(client, func(command *cobra.Command, c *apiClient, _ []string) error {
		type sum struct {
			Date       string    `json:"date"`
			KeyName    string    `json:"key_name"`
			KeyHash    string    `json:"key_hash"`
			Model      string    `json:"model"`
			Workspace  string    `json:"workspace_id"`
			Usage      money.USD `json:"usage"`
			Requests   int64     `json:"requests"`
			Prompt     int64     `json:"prompt_tokens"`
			Completion int64     `json:"completion_tokens"`
		}
		var told struct {
			Data []sum `json:"data"`
		}
		path := "/usage" + query(map[string]string{"from": from, "to": to, "api_key_hash": key, "by": strings.Join(by, ",")})
		if err := c.call(command.Context(), http.MethodGet, path, nil, &told); err != nil {
			return err
		}
		columns := map[string]func(s sum) any{
			"day":       func(s sum) any { return s.Date },
			"key":       func(s sum) any { return s.KeyName + " " + s.KeyHash[:min(12, len(s.KeyHash))] },
			"model":     func(s sum) any { return s.Model },
			"workspace": func(s sum) any { return s.Workspace },
		}
		header := ""
		for _, dimension := range by {
			header += strings.ToUpper(dimension) + "\t"
		}
		return table(command.OutOrStdout(), header+"REQUESTS\tPROMPT\tCOMPLETION\tCOST", told.Data, func(s sum) []any {
			var row []any
			for _, dimension := range by {
				row = append(row, columns[dimension](s)) // the gateway knows no others
			}
			return append(row, s.Requests, s.Prompt, s.Completion, "$"+s.Usage.String())
		})
	})
	command.AddCommand(purgeCommand(client))
	return command
}

// purgeCommand deletes what the ledger need not keep.
func purgeCommand(client func() (*apiClient, error)) *cobra.Command {
	return &cobra.Command{
		Use:   "purge DAY",
		Short: "Delete the generations of before a day in UTC; which is yesterday at the latest; what they come to by day stays",
		Args:  cobra.ExactArgs(1),
		RunE: withAPI(client, func(command *cobra.Command, c *apiClient, arguments []string) error {
			var told struct {
				Data struct {
					Deleted int64 `json:"deleted_generations"`
				} `json:"data"`
			}
			if err := c.call(command.Context(), http.MethodDelete, "/usage"+query(map[string]string{"before": arguments[0]}), nil, &told); err != nil {
				return err
			}
			_, err := fmt.Fprintf(command.OutOrStdout(), "%d generations deleted\n", told.Data.Deleted)
			return err
		}),
	}
}

// auditCommand tells who changed what.
func auditCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "audit",
		Short: "Show the last 100 changes at a running gateway, and reads of what was said",
		Args:  cobra.NoArgs,
	}
	client := apiFlag(command)
	command.RunE = withAPI(client, func(command *cobra.Command, c *apiClient, _ []string) error {
		type entry struct {
			Created time.Time      `json:"created_at"`
			Actor   string         `json:"actor_name"`
			Action  string         `json:"action"`
			Target  string         `json:"target"`
			Before  jsontext.Value `json:"before"`
			After   jsontext.Value `json:"after"`
		}
		var told struct {
			Data []entry `json:"data"`
		}
		if err := c.call(command.Context(), http.MethodGet, "/audit?limit=100", nil, &told); err != nil {
			return err
		}
		return table(command.OutOrStdout(), "TIME\tWHO\tWHAT\tOF\tCHANGED", told.Data, func(e entry) []any {
			return []any{e.Created.Format(time.RFC3339), e.Actor, e.Action, e.Target, changes(e.Before, e.After)}
		})
	})
	return command
}

// changes are the members of an object that are others after a change, with what they were;
// "" where there is no object before it or none after it.
func changes(before, after jsontext.Value) string {
	var old, fresh map[string]jsontext.Value
	if json.Unmarshal(before, &old) != nil || json.Unmarshal(after, &fresh) != nil || old == nil || fresh == nil {
		return ""
	}
	names := maps.Clone(old)
	maps.Copy(names, fresh)
	var changed []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if was, is := cmp.Or(string(old[name]), "null"), cmp.Or(string(fresh[name]), "null"); was != is && name != "updated_at" {
			changed = append(changed, name+" "+was+" → "+is)
		}
	}
	return strings.Join(changed, ", ")
}

package main

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/switchyard/switchyard/policies/money"
)

// creditsCommand tells what an organisation may spend, and lets operators add to it.
func creditsCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "credits",
		Short: "Show what your organisation was given to spend, and has used",
		Args:  cobra.NoArgs,
	}
	client := apiFlag(command)
	command.RunE = withAPI(client, func(command *cobra.Command, c *apiClient, _ []string) error {
		var told struct {
			Data struct {
				Total money.USD `json:"total_credits"`
				Used  money.USD `json:"total_usage"`
			} `json:"data"`
		}
		if err := c.call(command.Context(), http.MethodGet, "/credits", nil, &told); err != nil {
			return err
		}
		_, err := fmt.Fprintf(command.OutOrStdout(), "given $%s\nused  $%s\n", told.Data.Total, told.Data.Used)
		return err
	})
	command.AddCommand(addCreditsCommand(client))
	return command
}

func addCreditsCommand(client func() (*apiClient, error)) *cobra.Command {
	var organization, reference, note string
	command := &cobra.Command{
		Use:   "add AMOUNT",
		Short: "Give an organisation so many US dollars to spend; from the first on it spends no more than it was given",
		Long: `Give an organisation so many US dollars to spend. From the first on it spends no more
than it was given; a negative amount takes back (after --, as in "credits add -- -5").
It takes a management key of the gateway's configuration in ` + managementVariable + `.`,
		Args: cobra.ExactArgs(1),
		RunE: withAPI(client, func(command *cobra.Command, c *apiClient, arguments []string) error {
			amount, err := money.Parse(arguments[0])
			if err != nil {
				return fmt.Errorf("%w: AMOUNT: %w", errUsage, err)
			}
			var told struct {
				Data struct {
					ID     string    `json:"id"`
					Amount money.USD `json:"amount"`
				} `json:"data"`
			}
			members := map[string]any{"amount": amount, "reference": reference, "note": note}
			if err := c.call(command.Context(), http.MethodPost, "/organizations/"+url.PathEscape(organization)+"/credits", members, &told); err != nil {
				return err
			}
			_, err = fmt.Fprintf(command.OutOrStdout(), "entry %s: $%s\n", told.Data.ID, told.Data.Amount)
			return err
		}),
	}
	flags := command.Flags()
	flags.StringVar(&organization, "organization", "default", "id of the organisation")
	flags.StringVar(&reference, "reference", "", "your own name of the entry, such as an invoice's number; it is made only once")
	flags.StringVar(&note, "note", "", "what it is for")
	return command
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/switchyard/switchyard/policies/catalog/importer"
	"github.com/switchyard/switchyard/policies/config"
	"github.com/switchyard/switchyard/policies/config/configpb"
)

// errDifferent makes the exit code of `catalog diff` that of a difference.
var errDifferent = errors.New("the catalogs differ")

// errNoModels is of an import that would write an empty catalog, for example of a
// file of another kind.
var errNoModels = errors.New("no model was found; nothing is written")

func catalogCommand() *cobra.Command {
	command := &cobra.Command{Use: "catalog", Short: "Import and compare catalogs of models"}
	imports := &cobra.Command{
		Use:   "import",
		Short: "Make a catalog file of what others publish",
		Long: `Make a catalog file, for catalog_files of the configuration, of what others
publish. What cannot be taken over is listed on standard error, with counts.`,
	}
	imports.AddCommand(importLiteLLMCommand(), importOpenRouterCommand(), importModelsCommand())
	command.AddCommand(imports, diffCommand())
	return command
}

// importFlags adds the flags that all imports have, and returns what to do with
// what was imported.
func importFlags(command *cobra.Command) func(comment string, catalog *configpb.Config, report *importer.Report) error {
	output := command.Flags().StringP("output", "o", "", "file to write (default: standard output)")
	all := command.Flags().Bool("all-problems", false, "list every name that a problem holds for, not only the first")
	return func(comment string, catalog *configpb.Config, report *importer.Report) error {
		if err := report.Write(command.ErrOrStderr(), *all); err != nil {
			return err
		}
		if len(catalog.GetModels()) == 0 {
			return errNoModels
		}
		text := importer.YAML(catalog, comment)
		if *output == "" {
			return write(command.OutOrStdout(), text)
		}
		return os.WriteFile(*output, text, 0o644)
	}
}

// importFrom takes over what others publish in a file, or at a URL.
func importFrom(
	ctx context.Context, source string, take func(data []byte) (*configpb.Config, *importer.Report, error),
) (*configpb.Config, *importer.Report, error) {
	data, err := read(ctx, source)
	if err != nil {
		return nil, nil, err
	}
	catalog, report, err := take(data)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", source, err)
	}
	return catalog, report, nil
}

func importLiteLLMCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "litellm FILE|URL",
		Short: "From LiteLLM's price map (model_prices_and_context_window.json)",
		Args:  cobra.ExactArgs(1),
	}
	finish := importFlags(command)
	asOf := command.Flags().String("as-of", "", "leave out what is gone before this day, for example 2026-01-31 (default: nothing)")
	command.RunE = func(command *cobra.Command, arguments []string) error {
		catalog, report, err := importFrom(command.Context(), arguments[0], func(data []byte) (*configpb.Config, *importer.Report, error) {
			return importer.LiteLLM(data, *asOf)
		})
		if err != nil {
			return err
		}
		comment := `Who serves which model, at what price: US dollars for a million tokens, or for one
request, image or search.

Source: LiteLLM's price map (model_prices_and_context_window.json), copyright
Berri AI, MIT licence. Made by
  switchyard catalog import litellm` + flagText("--as-of", *asOf) + ` FILE
Do not edit: make it again, and correct it in a file that is read after it.`
		return finish(comment, catalog, report)
	}
	return command
}

func importOpenRouterCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "openrouter FILE|URL",
		Short: "From the answer of OpenRouter's API: /models, or a model's /endpoints",
		Args:  cobra.ExactArgs(1),
	}
	finish := importFlags(command)
	command.RunE = func(command *cobra.Command, arguments []string) error {
		catalog, report, err := importFrom(command.Context(), arguments[0], importer.OpenRouter)
		if err != nil {
			return err
		}
		return finish("From OpenRouter's API, by\n  switchyard catalog import openrouter", catalog, report)
	}
	return command
}

func importModelsCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "models PROVIDER",
		Short: "From the list of models of a configured provider",
		Args:  cobra.ExactArgs(1),
	}
	path := configFlag(command)
	finish := importFlags(command)
	file := command.Flags().String("file", "", "file with the provider's answer to GET /models (default: ask the provider)")
	command.RunE = func(command *cobra.Command, arguments []string) error {
		slug := arguments[0]
		effective, err := config.Load(path(), config.Options{})
		if err != nil {
			return err
		}
		provider, ok := effective.Config().GetProviders()[slug]
		if !ok {
			return fmt.Errorf("%w: no provider %q is configured", errUsage, slug)
		}
		var data []byte
		if *file != "" {
			data, err = read(command.Context(), *file)
		} else {
			secret, _ := effective.Secret(slug)
			data, err = askForModels(command.Context(), provider, secret)
		}
		if err != nil {
			return err
		}
		catalog, report, err := importer.Models(data, slug, provider.GetPreset())
		if err != nil {
			return fmt.Errorf("the models of %s: %w", slug, err)
		}
		return finish("From the provider's own list of models, by\n  switchyard catalog import models "+slug, catalog, report)
	}
	return command
}

// askForModels asks a provider for its models, with the headers of its dialect.
func askForModels(ctx context.Context, provider *configpb.Provider, secret config.Secret) ([]byte, error) {
	if provider.GetAuthentication() > configpb.Authentication_AUTHENTICATION_KEY {
		return nil, errors.New("the provider's requests are signed, and it has no GET /models; give its models with --file")
	}
	address := strings.TrimSuffix(provider.GetBaseUrl(), "/") + "/models"
	switch base := strings.TrimSuffix(provider.GetBaseUrl(), "/"); provider.GetDialect() {
	case configpb.Dialect_DIALECT_COHERE:
		// The second version of the API has no list of its own.
		address = strings.TrimSuffix(base, "/v2") + "/v1/models?page_size=1000&endpoint=chat"
	case configpb.Dialect_DIALECT_OLLAMA:
		address = strings.TrimSuffix(base, "/api") + "/v1/models"
	}
	header := http.Header{}
	for name, value := range provider.GetHeaders() {
		header.Set(name, value)
	}
	switch key := secret.Reveal(); {
	case key == "":
	case provider.GetDialect() == configpb.Dialect_DIALECT_ANTHROPIC:
		header.Set("X-Api-Key", key)
		header.Set("Anthropic-Version", "2023-06-01")
		address += "?limit=1000"
	case provider.GetDialect() == configpb.Dialect_DIALECT_GEMINI:
		header.Set("X-Goog-Api-Key", key)
		address += "?pageSize=1000"
	default:
		header.Set("Authorization", "Bearer "+key)
	}
	return download(ctx, address, header)
}

// read reads a file, or what is at a URL.
func read(ctx context.Context, source string) ([]byte, error) {
	if strings.HasPrefix(source, "https://") || strings.HasPrefix(source, "http://") {
		return download(ctx, source, nil)
	}
	file, err := os.Open(source)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readBounded(file)
}

func download(ctx context.Context, address string, header http.Header) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	if header != nil {
		request.Header = header
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: status %s", address, response.Status)
	}
	return readBounded(response.Body)
}

// readBounded reads one byte more than an importer takes, which then says so.
func readBounded(r io.Reader) ([]byte, error) {
	return io.ReadAll(io.LimitReader(r, importer.MaxInput+1))
}

func flagText(name, value string) string {
	if value == "" {
		return ""
	}
	return " " + name + " " + value
}

func diffCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "diff [OLD] NEW",
		Short: "Compare two catalog files, or what is served with one more",
		Long: `Compare two catalog files, as they are; or, with one file, what the configuration
serves with what it would serve with that file at the end of catalog_files. There it
lies over the other catalogs, and under the configuration's own models: nothing that
is served goes, and what the models say themselves does not change. A file that
catalog_files names already changes nothing.
Models and endpoints that come are marked +, those that go -, and fields that
change ~. The exit code is 0 without differences and 1 with any.`,
		Args: cobra.RangeArgs(1, 2),
	}
	path := configFlag(command)
	command.RunE = func(command *cobra.Command, arguments []string) error {
		var before, after *configpb.Config
		var err error
		if len(arguments) == 2 {
			if before, err = readCatalog(command.Context(), arguments[0]); err == nil {
				after, err = readCatalog(command.Context(), arguments[1])
			}
		} else {
			before, after, err = servedWith(command.Context(), path(), arguments[0])
		}
		if err != nil {
			return err
		}
		differences := importer.Diff(before, after)
		for _, line := range differences {
			if _, err := fmt.Fprintln(command.OutOrStdout(), line); err != nil {
				return err
			}
		}
		if len(differences) > 0 {
			return fmt.Errorf("%w: %d differences", errDifferent, len(differences))
		}
		return nil
	}
	return command
}

func readCatalog(ctx context.Context, name string) (*configpb.Config, error) {
	data, err := read(ctx, name)
	if err != nil {
		return nil, err
	}
	return config.ParseCatalog(name, data)
}

// servedWith returns what the configuration serves without and with one more
// catalog file, or what is at a URL.
func servedWith(ctx context.Context, path, catalog string) (before, after *configpb.Config, err error) {
	data, err := read(ctx, catalog)
	if err != nil {
		return nil, nil, err
	}
	file, err := filepath.Abs(catalog)
	if err != nil {
		return nil, nil, err
	}
	without, err := config.Load(path, config.Options{})
	if err != nil {
		return nil, nil, err
	}
	if slices.Contains(without.Config().GetCatalogFiles(), file) {
		return without.Config(), without.Config(), nil
	}
	with, err := config.Load(path, config.Options{
		Overrides: &configpb.Config{CatalogFiles: []string{file}},
		ReadFile: func(name string) ([]byte, error) {
			if name == file {
				return data, nil
			}
			return os.ReadFile(name)
		},
	})
	if err != nil {
		return nil, nil, err
	}
	return without.Config(), with.Config(), nil
}

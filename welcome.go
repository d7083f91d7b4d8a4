package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/switchyard/switchyard/policies/catalog"
	"github.com/switchyard/switchyard/policies/config/configpb"
	"github.com/switchyard/switchyard/policies/identity"
)

// localKey is the key of a gateway without a configuration file. It is made
// once and kept where only this user can read it: an open port on loopback is
// open to every web page in the user's browser.
func localKey(directory string) (*configpb.Key, error) {
	path := filepath.Join(directory, "key")
	plaintext, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(directory, 0o700); err != nil {
			return nil, err
		}
		fresh, _ := identity.NewKey()
		plaintext = []byte(fresh + "\n")
		if err := os.WriteFile(path, plaintext, 0o600); err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, err
	}
	return &configpb.Key{Name: "local", Hash: identity.Hash(strings.TrimSpace(string(plaintext)))}, nil
}

// printWelcome shows what listens, who answers, and two things to paste.
func printWelcome(out io.Writer, g *generation, demo bool, configPath, stateDirectory string) {
	cfg := g.effective.Config()
	scheme := "http"
	if cfg.GetListener().GetTls() != nil {
		scheme = "https"
	}
	base := fmt.Sprintf("%s://%s/api/v1", scheme, cfg.GetListener().GetAddress())
	models := g.policy.Catalog.Models()
	model := "<a model>"
	if at := slices.IndexFunc(models, func(m *catalog.Model) bool { return slices.Contains(m.OutputModalities, "text") }); at >= 0 {
		model = models[at].ID
	}
	key, pythonKey := "$SWITCHYARD_API_KEY", `os.environ["SWITCHYARD_API_KEY"]`
	if configPath == "" {
		path, err := filepath.Abs(filepath.Join(stateDirectory, "key"))
		if err != nil {
			path = filepath.Join(stateDirectory, "key")
		}
		key, pythonKey = fmt.Sprintf("$(cat %s)", path), fmt.Sprintf("open(%q).read().strip()", path)
	}
	fmt.Fprintf(out, "\nSwitchyard is ready.\n\n  API      %s\n  health   %s\n  metrics  %s\n", base, strings.TrimSuffix(base, "/api/v1")+"/health", strings.TrimSuffix(base, "/api/v1")+"/metrics")
	fmt.Fprintf(out, "  serving  %d models at %d providers\n", len(models), len(cfg.GetProviders()))
	if demo {
		fmt.Fprintln(out, "\nNo provider key was found: built-in DEMO providers answer. No model is behind them.\nSet OPENAI_API_KEY, ANTHROPIC_API_KEY or another, and start again.")
	}
	fmt.Fprintf(out, `
Try it:

  curl -sS %s/chat/completions \
    -H "Authorization: Bearer %s" -H "Content-Type: application/json" \
    -d '{"model":"%s","messages":[{"role":"user","content":"Hello!"}]}'

or, after pip install openai:

import os
from openai import OpenAI
client = OpenAI(base_url="%s", api_key=%s)
for chunk in client.chat.completions.create(
        model="%s", stream=True,
        messages=[{"role": "user", "content": "Hello!"}]):
    print(chunk.choices[0].delta.content or "", end="", flush=True)

Ctrl-C drains and stops.
`, base, key, model, base, pythonKey, model)
}

// newLog writes to out as the configuration says: text for people, JSON else.
func newLog(out *os.File, telemetry *configpb.Telemetry, level slog.Leveler) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	format := telemetry.GetLogFormat()
	if format == "" {
		format = "json"
		if info, err := out.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			format = "text"
		}
	}
	if format == "text" {
		return slog.New(slog.NewTextHandler(out, options))
	}
	return slog.New(slog.NewJSONHandler(out, options))
}

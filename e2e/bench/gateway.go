package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"

	"github.com/switchyard/switchyard/e2e/gateway"
)

// gatewayKey is the client's.
const gatewayKey = "sk-sy-v1-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// settings are part of a configuration file.
type settings = map[string]any

// startGateway runs a switchyard that has one provider for each kind of answer.
func startGateway(ctx context.Context, binary, envoy, directory, upstream string, workers int, accessLog bool) (*gateway.Gateway, error) {
	providers, models := settings{}, settings{}
	for _, kind := range []answerKind{unary, burst, paced, held} {
		name := "bench-" + string(kind)
		providers[name] = settings{
			"dialect":    "openai",
			"base_url":   "http://" + upstream + "/" + string(kind) + "/v1",
			"credential": settings{"value": "sk-provider"},
		}
		models["bench/"+string(kind)] = settings{"endpoints": []any{settings{
			"provider": name, "model": "bench-1", "prices": settings{"prompt": "1", "completion": "2"},
		}}}
	}
	// The child gets the file itself: nobody reads and copies the log on its way.
	nowhere, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	defer nowhere.Close()
	hash := sha256.Sum256([]byte(gatewayKey))
	return gateway.Start(ctx, gateway.Options{
		Binary:    binary,
		Directory: directory,
		AccessLog: nowhere,
		Config: settings{
			"envoy":               settings{"path": envoy, "concurrency": workers},
			"models_from_presets": "none",
			"providers":           providers,
			"models":              models,
			"keys":                []any{settings{"name": "bench", "hash": hex.EncodeToString(hash[:])}},
			"limits":              settings{"unlimited": true},
			"telemetry":           settings{"no_access_log": !accessLog},
		},
	})
}

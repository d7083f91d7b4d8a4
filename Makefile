# Everything a newcomer needs is `make run` and `make test`.
.DEFAULT_GOAL := help
GO ?= go
PACKAGES := ./...

.PHONY: help all build run test unit e2e bench bench-dialects fuzz lint generate checkgenerate golden clean envoy clients redis postgres

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9_-]+:.*## / {printf "  \033[1m%-14s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

all: build test ## Build and test

build: ## Build bin/switchyard
	@$(GO) build -o bin/switchyard .

run: envoy build ## Start the gateway: http://127.0.0.1:8080/api/v1
	@exec bin/switchyard run $(ARGS)

test: lint unit e2e ## Everything: checks, unit tests, end to end on a real Envoy

unit: envoy redis postgres ## Unit tests with the race detector
	$(GO) test -race -timeout 10m $$($(GO) list ./... | grep -v /e2e$$)
	$(GO) test -C policies/config/configpb/generate ./...

e2e: envoy clients postgres build ## End-to-end tests: real Envoy, real SDKs
	$(GO) test -timeout 30m ./e2e

bench: envoy redis build ## Compare direct, bare Envoy and gateway; writes e2e/bench/RESULTS.md
	$(GO) run ./e2e/bench

# What it prints, benchstat tabulates and compares.
bench-dialects: ## Measure every client's dialect against every provider's
	$(GO) test ./extproc/dialect -run '^$$' -bench 'Request|Stream' -benchtime 200ms $(ARGS)

fuzz: ## Fuzz every parser that meets the network, 30 s each
	@for package in $$($(GO) list ./extproc/... ./policies/...); do \
		for target in $$($(GO) test -list '^Fuzz' $$package | grep ^Fuzz); do \
			echo "$$package $$target"; $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime 30s $$package || exit 1; \
		done; done

lint: ## Formatting, vet, and who may import whom
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run gofmt -w on these files"; exit 1; }
	$(GO) vet $(PACKAGES)

generate: ## Regenerate code from the configuration's schema
	$(GO) generate ./...

checkgenerate: generate ## Fail if generated code is not current
	git diff --exit-code -- policies/config

golden: ## Rewrite golden files; read the diff before committing it
	$(GO) test ./xds ./envoy ./policies/config -update

clean: ## Remove what was built and installed
	rm -rf bin .tmp

envoy:
	@envoy/install.sh

clients:
	@e2e/clients/install.sh

redis:
	@policies/redis/install.sh

postgres:
	@policies/usage/install.sh

# make help lists the targets. Settings: RESP and HTTP (addresses for make run),
# ARGS (more flags for make run and make bench), FUZZTIME and DIR (for make fuzz), SOAK (for make soak), LISTEN and
# BROKER (for make chat).

SHELL := /bin/bash

VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT   ?= $(shell git rev-parse --short HEAD 2>/dev/null || echo unknown)
DATE     ?= $(shell git log -1 --format=%cs 2>/dev/null || echo unknown)
LDFLAGS  := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT) -X main.date=$(DATE)
LINT     := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
JSTESTS  := protocol/ws/client/*.test.js examples/chat/*.test.mjs
FUZZTIME ?= 30s
SOAK     ?= 30m
DIR      ?= .

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: build ## build and start the broker (RESP=127.0.0.1:6380 HTTP=127.0.0.1:8081 choose other addresses)
	@exec bin/broker --log-format console $(if $(RESP),--resp $(RESP)) $(if $(HTTP),--http $(HTTP)) $(ARGS)

.PHONY: build
build: ## build the static binary bin/broker
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/broker ./cmd/broker

.PHONY: test
test: ## run all tests with the race detector (12 minutes at most)
	@$(MAKE) -s left-out
	go test -race -shuffle=on -timeout 12m ./...
	go test -run Alloc ./broker ./kv ./protocol/... ./topic # the race detector allocates too
	@! command -v node >/dev/null || node --test $(JSTESTS)
	@$(MAKE) -s left-out

# Tests that need a program skip themselves when it is missing; this says so
# where it is seen, before and after the tests' own output.
.PHONY: left-out
left-out:
	@command -v redis-server >/dev/null || echo "LEFT OUT: comparisons with Redis (no redis-server; install redis-server)"
	@command -v redis-cli >/dev/null || echo "LEFT OUT: tests with redis-cli (no redis-cli; install redis-tools)"
	@command -v redis-benchmark >/dev/null || echo "LEFT OUT: tests with redis-benchmark (no redis-benchmark; install redis-tools)"
	@command -v nats-server >/dev/null || echo "LEFT OUT: comparisons with NATS (no nats-server; install nats-server)"
	@command -v script >/dev/null || echo "LEFT OUT: redis-cli in a terminal (no script; install bsdutils)"
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
		echo "LEFT OUT: browser tests (no chromium, chromium-browser or google-chrome; install chromium)"
	@command -v node >/dev/null || echo "LEFT OUT: tests of the JavaScript client (no node; install nodejs)"
	@command -v nginx >/dev/null || echo "LEFT OUT: the nginx of docs/reverse-proxy.md (install nginx-light and libnginx-mod-stream)"
	@test -d internal/e2e/js/node_modules || \
		echo "LEFT OUT: ioredis, node-redis, socket.io (not installed; install nodejs and npm, then run make node-clients)"
	@python3 -c 'import redis' 2>/dev/null || /usr/bin/python3 -c 'import redis' 2>/dev/null || \
		echo "LEFT OUT: redis-py (install python3-redis)"

.PHONY: check
check: ## formatting, go vet, linters and tests: what every commit passes
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run make fmt"; exit 1; }
	go vet ./...
	$(MAKE) lint
	$(MAKE) test

.PHONY: lint
lint: ## run the linters of .golangci.yml
	$(LINT) run ./...

.PHONY: fmt
fmt: ## format the code
	gofmt -w -s .

.PHONY: soak
soak: ## load, churn and faults for a long time, every delivery checked (SOAK=30m)
	go test ./internal/e2e -run '^TestSoak$$' -count=1 -timeout 0 -v -soak=$(SOAK)

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (30s); DIR=topic limits them
	@set -e; for dir in $$(grep -rlE '^func Fuzz' --include='*_test.go' $(DIR) | xargs -r dirname | sort -u); do \
		for target in $$(grep -hoE '^func Fuzz[A-Za-z0-9_]*' $$dir/*_test.go | cut -c6- | sort -u); do \
			echo "fuzz $$dir $$target for $(FUZZTIME)"; \
			go test ./$$dir -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x; \
		done; \
	done

.PHONY: bench
bench: ## compare with redis-server: server CPU per delivery and per command, memory, latency
	go run ./internal/loadgen $(ARGS)

# npm keeps a list of what it has installed; it is older than the lock file when that has changed.
NODE_CLIENTS := internal/e2e/js/node_modules/.package-lock.json

$(NODE_CLIENTS): internal/e2e/js/package-lock.json
	npm ci --prefix internal/e2e/js --ignore-scripts --no-audit --no-fund
	@touch $@

.PHONY: node-clients
node-clients: ## install the Node clients of the end-to-end tests, as pinned (needs npm)
	@$(MAKE) -s $(NODE_CLIENTS)

.PHONY: e2e
e2e: $(if $(shell command -v npm),node-clients) ## run the tests against the real binary, real clients and a browser
	go test -count=1 ./internal/e2e/...

.PHONY: chat
chat: ## serve the chat example on LISTEN (127.0.0.1:8090); the broker must run
	go run ./examples/chat $(if $(LISTEN),--listen $(LISTEN)) $(if $(BROKER),--broker $(BROKER))

.PHONY: golden
golden: ## ask a redis-server for topic's golden table again
	go test ./topic -run TestGolden -generate

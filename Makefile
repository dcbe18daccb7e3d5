# One Makefile drives all. Node 24 comes as an npm package, so any Node that runs npm will do.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
# kafkajs computes a negative time-out now and then, which newer Nodes report.
export NODE_OPTIONS := --disable-warning=TimeoutNegativeWarning
.DEFAULT_GOAL := help
.PHONY: help dev test check services services-down bench clean

help: ## This help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

dev: node_modules/.installed ## The whole Millrace in one process on port 8080 (PORT=, LOG=kafka, STORE=mongodb)
	@node functions/dev.ts

test: node_modules/.installed ## Every test that this machine can run; ends with a count
	@node test/run.ts

check: node_modules/.installed ## Types, format, lint, import rules
	tsc --noEmit
	biome ci .
	vitest run --project rules

services: node_modules/.installed ## Three Kafka brokers and a MongoDB on 127.0.0.1
	@node test/services/cli.ts start

services-down: node_modules/.installed ## Stop exactly what make services started
	@node test/services/cli.ts stop

bench: node_modules/.installed ## Our figures beside their floors, as a table and as bench.json
	@node test/bench/bench.ts

clean: ## Remove what was installed, built and stored
	@[ ! -d node_modules ] || node test/services/cli.ts stop
	rm -rf node_modules .millrace dist bench.json

node_modules/.installed: package.json package-lock.json
	@npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# Settings are passed on only where they are given.
$(foreach setting,PORT LOG STORE KAFKA_BROKERS MONGODB_URI MILLRACE_DIR,$(if $($(setting)),$(eval export $(setting))))

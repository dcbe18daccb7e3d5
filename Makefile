# One Makefile drives all. Settings pass through: make dev STORE=mongodb LOG=kafka.
# Node 24 comes as an npm package, so any Node that runs npm will do.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
# Old makes look commands up on their own PATH, unless told of a shell.
SHELL := /bin/bash
# An attestation has the time in it: an image that has not changed would be another one.
export BUILDX_NO_DEFAULT_ATTESTATIONS := 1
INSTALLED := node_modules/.package-lock.json
.DEFAULT_GOAL := help
.PHONY: help dev token up down test check check-manifests image services services-down bench clean
.PHONY: deploy tools cluster platform data image-load prepare apply wait smoke letters import total flux pin undeploy

help: ## This help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

dev: $(INSTALLED) ## The whole Millrace in one process on port 8080 (PORT=, LOG=kafka, STORE=mongodb)
	@node main/dev.ts

# A shell has a USER too: only one on make's own command line says whose token.
token: export USER := $(if $(filter command,$(origin USER)),$(USER),member)
token: $(INSTALLED) ## A token of somebody that make dev knows: USER=member, administrator, ... (SITE=, ISSUER=, PASSWORD=)
	@node deploy/token.ts

up: .env ## The whole Millrace in containers at http://localhost:8080, with Docker Compose
	docker compose up --build --detach --wait

down: ## Stop what make up started; its data stay
	docker compose down

# The secret that publish, persist and query share, made once.
.env:
	@umask 077; echo "RECEIPT_SECRET=$$(head -c 32 /dev/urandom | base64)" > $@

test: $(INSTALLED) ## Every test that this machine can run; ends with a count
	@node test/run.ts

check: $(INSTALLED) ## Types, format, lint, import rules, manifests
	tsc --noEmit
	biome ci .
	vitest run --project rules
	@$(MAKE) --no-print-directory check-manifests
	@node deploy/cli.ts unpinned

check-manifests: $(INSTALLED) ## The manifests: build, real schemas, our own rules, the code (Go, nginx)
	@node test/manifests/check.ts

image: ## The image millrace:dev, with Docker
	docker build --tag millrace:dev .

services: $(INSTALLED) ## Three Kafka brokers and a MongoDB on 127.0.0.1
	@node test/services/cli.ts start

services-down: $(INSTALLED) ## Stop exactly what make services started
	@node test/services/cli.ts stop

deploy: $(INSTALLED) ## All of it on a kind cluster, in the steps below; safe to repeat
	@node deploy/cli.ts $@

# The steps of make deploy, and what else is done to a cluster. Settings: CLUSTER= LIMIT= OVERLAY= CONTEXT= IMAGE=.
tools: ## - docker, kind and kubectl are there
cluster: ## - the kind cluster
platform: ## - Knative and Kourier, as pinned in deploy/versions.json
data: ## - Secrets, Kafka, MongoDB and Keycloak
image-load: ## - the image, built and loaded into the nodes
prepare: ## - topics, collections and indexes
apply: ## - persist and its sources, then publish, query and the gateway
wait: ## - until every part is ready, or what is not and why
smoke: ## Uses a running cluster as a client does, and takes persist and a broker away (SITE=, FAULTS=no)
total: ## The running total of all sums, appended to FILE= for audit (SITE=, HISTORY=yes copies the sums beside it)
flux: ## Flux follows the repository from now on (REPO=, BRANCH=)
pin: $(INSTALLED) ## Fills in missing checksums, digests of images and commits of actions, on a machine with a network
	@node deploy/cli.ts pin digests
undeploy: ## Delete the kind cluster, with its data
tools cluster platform data image-load prepare apply wait smoke total flux undeploy: $(INSTALLED)
	@node deploy/cli.ts $@

letters: $(INSTALLED) ## What could not be applied: SHOW=<id>, REDRIVE=<id> or 'domain=... error=...', DISCARD=<id> REASON= (SITE=, JSON=1)
	@node deploy/letters/cli.ts $${JSON:+--json} -- $${SHOW:+show "$$SHOW"} $${REDRIVE:+redrive "$$REDRIVE"} $${DISCARD:+discard "$$DISCARD" "$$REASON"}

import: $(INSTALLED) ## What the system before has: tutorials from FILE= or FROM=mongodb://..., TOTAL= of sums (DRY=1, SITE=, TOKEN=)
	@node deploy/import/cli.ts

bench: $(INSTALLED) ## Our figures beside their floors, as a table and as bench.json
	@node test/bench/bench.ts

clean: ## Remove what was installed, built and stored
	@[ ! -e $(INSTALLED) ] || node test/services/cli.ts stop
	rm -rf node_modules .millrace dist bench.json

$(INSTALLED): package.json package-lock.json
	@npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# One Makefile drives all. Settings pass through: make dev STORE=mongodb LOG=kafka.
# Node 24 comes as an npm package, so any Node that runs npm will do.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
# Old versions of make look up commands on their own PATH unless SHELL is set.
SHELL := /bin/bash
# An attestation contains the time, so an unchanged image would be a different one.
export BUILDX_NO_DEFAULT_ATTESTATIONS := 1
INSTALLED := node_modules/.package-lock.json
.DEFAULT_GOAL := help
.PHONY: help dev token up down test check check-manifests image services services-down bench clean
.PHONY: deploy tools cluster platform data image-load prepare apply wait smoke letters import total flux pin undeploy

help: ## This help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

dev: $(INSTALLED) ## The whole Millrace in one process on port 8080 (PORT=, LOG=kafka, STORE=mongodb)
	@node main/dev.ts

# Every shell has a USER, so only a USER on make's command line counts.
token: export USER := $(if $(filter command,$(origin USER)),$(USER),member)
token: $(INSTALLED) ## A token of a sample person of make dev: USER=member, administrator, ... (SITE=, ISSUER=, PASSWORD=)
	@node deploy/token.ts

up: .env ## The whole Millrace in containers at http://localhost:8080, with Docker Compose
	docker compose up --build --detach --wait

down: ## Stop the containers of make up; the data stay
	docker compose down

# The secret that publish, persist and query share. It is made once.
.env:
	@umask 077; echo "RECEIPT_SECRET=$$(head -c 32 /dev/urandom | base64)" > $@

test: $(INSTALLED) ## Run every test that this machine can run; prints a count
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

services-down: $(INSTALLED) ## Stop the servers of make services
	@node test/services/cli.ts stop

deploy: $(INSTALLED) ## Deploy Millrace on a kind cluster, in the steps below; safe to repeat
	@node deploy/cli.ts $@

# The steps of make deploy, and other operations on a cluster. Settings: CLUSTER= LIMIT= OVERLAY= CONTEXT= IMAGE=.
tools: ## - check docker, kind and kubectl
cluster: ## - make the kind cluster
platform: ## - install Knative and Kourier, as pinned in deploy/versions.json
data: ## - make Secrets, start Kafka, MongoDB and Keycloak
image-load: ## - build the image and load it into the nodes
prepare: ## - make topics, collections and indexes
apply: ## - start persist and its sources, then publish, query and the gateway
wait: ## - wait until every part is ready, or list the others with the reasons
smoke: ## Test a running cluster as a client, then kill persist and a broker (SITE=, FAULTS=no)
total: ## Append the running total of all sums to FILE= for audit (SITE=, HISTORY=yes copies the sums beside it)
flux: ## Make Flux follow the repository (REPO=, BRANCH=)
pin: $(INSTALLED) ## Fill in missing checksums, digests of images and commits of actions; needs a network
	@node deploy/cli.ts pin digests
undeploy: ## Delete the kind cluster with its data
tools cluster platform data image-load prepare apply wait smoke total flux undeploy: $(INSTALLED)
	@node deploy/cli.ts $@

letters: $(INSTALLED) ## List letters, the commands that could not be applied: SHOW=<id>, REDRIVE=<id> or 'domain=... error=...', DISCARD=<id> REASON= (SITE=, JSON=1)
	@node deploy/letters/cli.ts $${JSON:+--json} -- $${SHOW:+show "$$SHOW"} $${REDRIVE:+redrive "$$REDRIVE"} $${DISCARD:+discard "$$DISCARD" "$$REASON"}

import: $(INSTALLED) ## Import from the previous system: tutorials from FILE= or FROM=mongodb://..., TOTAL= of sums (DRY=1, SITE=, TOKEN=)
	@node deploy/import/cli.ts

bench: $(INSTALLED) ## Run the benchmarks; prints a table and writes bench.json
	@node test/bench/bench.ts

clean: ## Remove installed packages, builds and stored data
	@[ ! -e $(INSTALLED) ] || node test/services/cli.ts stop
	rm -rf node_modules .millrace dist bench.json

$(INSTALLED): package.json package-lock.json
	@npm ci --no-audit --no-fund --loglevel=error
	@touch $@

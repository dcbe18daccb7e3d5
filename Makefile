# Every task of the project is a target here. Settings pass through: make dev STORE=mongodb LOG=kafka.
# Node 24 is an npm package of the project, so any Node from 20 on that runs npm is enough to begin.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
# Old versions of make ignore the exported PATH unless SHELL is set.
SHELL := /bin/bash
# An attestation contains the time, so an unchanged image would get a new digest.
export BUILDX_NO_DEFAULT_ATTESTATIONS := 1
INSTALLED := node_modules/.installed
.DEFAULT_GOAL := help
.PHONY: help ready dev token up down test check check-manifests new-domain docs image services services-down bench clean
.PHONY: deploy tools cluster platform data image-load prepare apply wait smoke letters import total flux pin undeploy

help: ## Print this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

dev: ready ## Run all of Millrace in one process on port 8080 (PORT=, LOG=kafka, STORE=mongodb, INSPECT=1 for a debugger)
	@node $(if $(INSPECT),--inspect) main/dev.ts

# Shells set USER too, so only a USER on the command line of make counts.
token: export USER := $(if $(filter command,$(origin USER)),$(USER),member)
token: ready ## Print a token of a sample person: USER=member, administrator, ... (SITE=, ISSUER=, PASSWORD=)
	@node deploy/token.ts

up: .env ## Run all of Millrace in containers at http://localhost:8080, with Docker Compose
	docker compose up --build --detach --wait

down: ## Stop the containers of make up and keep their data
	docker compose down

# The secret that publish, persist and query share. It is generated once.
.env:
	@umask 077; echo "RECEIPT_SECRET=$$(head -c 32 /dev/urandom | base64)" > $@

test: ready ## Run every test that this machine can run, and print the counts last
	@node test/run.ts

# The check of domains comes first: a type error has often the same cause and says less.
check: ready ## Check domains, types, format, lint, import rules, docs and manifests
	@node -e "import('./main/find-domains.ts').then(({ findDomains }) => findDomains())"
	tsc --noEmit
	biome ci .
	vitest run --project rules
	@$(MAKE) --no-print-directory check-manifests
	@node deploy/cli.ts unpinned

check-manifests: ready ## Build the manifests and check them against schemas, rules and the code (needs Go, nginx)
	@node test/manifests/check.ts

# Some shells set NAME too.
new-domain: export NAME := $(if $(filter command,$(origin NAME)),$(NAME))
new-domain: ready ## Add a domain with an example, its test and its KafkaSource: NAME=orders (KIND=append without rules)
	@node generate/new-domain/cli.ts

docs: ready ## Write the generated files from the code: tables in docs/, and the KafkaSources of the domains
	@node generate/cli.ts

image: ## Build the image millrace:dev, with Docker
	docker build --tag millrace:dev .

services: ready ## Start three Kafka brokers and a MongoDB on 127.0.0.1
	@node test/services/cli.ts start

services-down: ready ## Stop the servers of make services
	@node test/services/cli.ts stop

deploy: ready ## Deploy everything to a kind cluster, in the steps below; safe to repeat
	@node deploy/cli.ts $@

# The steps of make deploy, and other commands for a cluster. Settings: CLUSTER= LIMIT= OVERLAY= CONTEXT= IMAGE=.
tools: ## - check that docker, kind and kubectl are installed
cluster: ## - create the kind cluster
platform: ## - install Knative and Kourier, as pinned in deploy/versions.json
data: ## - create the Secrets, and start Kafka, MongoDB and Keycloak
image-load: ## - build the image and load it into the nodes
prepare: ## - create topics, collections and indexes
apply: ## - roll out persist and its sources, then publish, query and the gateway
wait: ## - wait until every part is ready, or report which one is not and why
smoke: ## Test a running cluster as a client, while persist and a broker stop (SITE=, FAULTS=no)
total: ## Append the running total of all sums to FILE=, for audit (SITE=, HISTORY=yes copies the sums)
flux: ## Install Flux, which deploys what is merged (REPO=, BRANCH=)
pin: ready ## Pin checksums, image digests and action commits that are missing (needs a network)
	@node deploy/cli.ts pin digests
undeploy: ## Delete the kind cluster and its data
tools cluster platform data image-load prepare apply wait smoke total flux undeploy: ready
	@node deploy/cli.ts $@

letters: ready ## List letters, or SHOW=<id>, REDRIVE=<id>, all or 'domain=... error=...', DISCARD=<id> REASON= (SITE=, JSON=1)
	@node deploy/letters/cli.ts $${JSON:+--json} -- $${SHOW:+show "$$SHOW"} $${REDRIVE:+redrive "$$REDRIVE"} $${DISCARD:+discard "$$DISCARD" "$$REASON"}

import: ready ## Import from the previous system: tutorials from FILE= or FROM=mongodb://..., TOTAL= of sums (DRY=1, SITE=, TOKEN=)
	@node deploy/import/cli.ts

bench: ready ## Run the benchmarks; prints a table and writes bench.json (ONLY=p,q,r measures beside Restate, which npm installs)
	@node test/bench/bench.ts $(if $(ONLY),--only "$(ONLY)")

clean: ## Remove installed packages, build output and stored data
	@[ ! -e $(INSTALLED) ] || node test/services/cli.ts stop
	rm -rf node_modules main/node/node_modules .millrace dist bench.json

# An older Node fails with errors that do not name their cause, so this target stops it with one line.
ready: $(INSTALLED)
	@node main/node-version.mjs

$(INSTALLED): package.json package-lock.json main/node/package-lock.json
	@bash main/node/install.sh
	@touch $@

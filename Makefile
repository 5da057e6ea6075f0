# Targets with a `##` comment are shown by `make help`. Works with GNU make 3.81 and newer.
# Versions stand in versions.env alone.

# rustup installs cargo here; a shell that was opened before does not know it yet.
export PATH := $(PATH):$(HOME)/.cargo/bin

# TLS=1: for brokers that ask for TLS or SCRAM.
RUN = $(strip cargo run -q -p $(1) $(if $(TLS),--features tls) --)
RIG := $(call RUN,rig-program)
CHECKS := cargo run -q -p checks --
MDBOOK = $(firstword $(wildcard .venv/bin/mdbook) mdbook)
PORT ?= 3000

.DEFAULT_GOAL := help
.PHONY: help setup start test demo serve up stop down psql topics check-cluster data oracle budgets bench mutants secured fresh soak clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what is missing on this machine; each command is shown first
	@scripts/setup.sh

start: ## Build, start the servers, run the demo, then serve the book on port 3000
	@PORT=$(PORT) scripts/start.sh

test: setup ## Check everything; ends with a table
	@$(CHECKS) all $(addprefix --show ,$(SHOW)) $(addprefix --provider ,$(PROVIDERS))

demo: ## Count the week of the blizzard by hour, from Kafka into PostgreSQL, and draw it
	@$(call RUN,lab06-solution) --partitions 1

serve: ## Serve the book on port 3000, or on PORT
	@$(MDBOOK) serve book -p $(PORT)

up: ## Start Kafka and PostgreSQL, and say where they are
	@$(RIG) up

stop: ## End Kafka and PostgreSQL, keep their data
	@$(RIG) stop

down: ## End Kafka and PostgreSQL, remove all they left
	@$(RIG) down

psql: ## Open psql on the database
	@$(RIG) psql

topics: ## List the topics
	@$(RIG) tool kafka-topics --list

check-cluster: ## Ask Kafka and PostgreSQL, yours or the rig's, for all that the labs need
	@$(call RUN,rig-check)

data: ## Make the full year of flights in data/full
	@scripts/data.sh

oracle: ## Ask Apache Flink again for the windows that lab 05 is held against
	@scripts/oracle.sh

budgets: ## Measure the times that a learner waits, from a fresh clone; LABS chooses
	@LABS="$(LABS)" scripts/budgets.sh

mutants: ## Change the answers of pure steps, bit by bit: do the tests notice? LABS chooses
	@LABS="$(LABS)" scripts/mutants.sh

secured: ## Run LABS on a Kafka with access lists; TLS=1 also by TLS; BROKERS=3
	@LABS="$(LABS)" TLS="$(TLS)" BROKERS="$(BROKERS)" scripts/secured.sh

fresh: ## Try the workbook on fresh machines, each a bare Debian in a folder. KINDS chooses
	@KINDS="$(KINDS)" scripts/fresh-machine.sh

soak: ## Run the labs' tests RUNS times, BUSY of them beside a build, then a million records
	@RUNS="$(RUNS)" BUSY="$(BUSY)" LABS="$(LABS)" WHOLE="$(WHOLE)" MILLION="$(MILLION)" KILLS="$(KILLS)" PURE="$(PURE)" scripts/soak.sh

# A workspace of its own; its products lie with the others.
BENCH := --manifest-path crates/bench/Cargo.toml --locked
# Criterion takes a relative folder from the package, cargo from here.
bench: export CARGO_TARGET_DIR := $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)
bench: ## Measure the reference answers beside bare clients; writes data/bench* and the chart
	@cargo bench -q $(BENCH) -- --noplot --quiet
	@cargo run -q --release $(BENCH)

clean: down ## Remove all that was built
	cargo clean
	rm -rf book/book data/full

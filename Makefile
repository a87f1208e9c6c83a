# make demo     a day of a small country: sandbox, engine, SQLite, no broker
# make test     everything, with a real Apache Kafka and PostgreSQL
# make help     the rest

CIVITAS_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/civitas
CARGO_TARGET_DIR ?= $(CIVITAS_CACHE)/target
export CIVITAS_CACHE CARGO_TARGET_DIR

# The demo needs no optimised build, and shares this one with the tests: of the whole workspace, whose features differ
# from those of one crate.
CIVITAS := $(CARGO_TARGET_DIR)/debug/civitas

.PHONY: help setup kafka demo demo-kafka test interop lint fresh generate bench reducers fuzz chaos weeks clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1 \t\2/p' $(MAKEFILE_LIST) | expand -t 22

setup: ## installs the Debian packages of build, PostgreSQL, Kafka and the tests that are missing
	@deploy/install-packages build postgres kafka browser tokens node

kafka: ## fetches Apache Kafka into the cache, checksums verified
	@deploy/kafka/install >/dev/null

$(CIVITAS): FORCE
	@deploy/install-packages build
	@cargo build --locked --workspace --bin civitas
FORCE:

demo: $(CIVITAS) ## sandbox and engine on SQLite; a day of a small country, at speed
	@$(CIVITAS) demo $(DEMO)

demo-kafka: $(CIVITAS) ## the same day through Apache Kafka and PostgreSQL
	@deploy/install-packages postgres kafka
	@deploy/kafka/install >/dev/null
	@deploy/demo-kafka $(CIVITAS) $(DEMO)

test: setup kafka ## every test
	@cargo test --locked --workspace --no-fail-fast -- --test-threads=6
	@echo
	@echo "All passed. Next: 'make demo' shows the whole at work; ARCHITECTURE.md names the test behind each promise."

interop: ## MOSIP's own Java classes open our packets, and we theirs; fails where they cannot be had
	@deploy/install-packages build interop
	@CIVITAS_INTEROP=required cargo test --locked --workspace --test clients interop

lint: ## format and clippy, warnings denied
	@cargo fmt --all --check
	@cargo clippy --locked --workspace --all-targets -- -D warnings

generate: $(CIVITAS) ## writes the generated files anew: schemas/, OpenAPI, docs/reference.md, the index of docs/diagnostics/
	@$(CIVITAS) schemas
	@$(CIVITAS) openapi
	@$(CIVITAS) reference
	@$(CIVITAS) country help --index docs/diagnostics

fresh: $(CIVITAS) ## fails when a generated file is stale
	@$(CIVITAS) schemas --check
	@$(CIVITAS) openapi --check
	@$(CIVITAS) country help --index docs/diagnostics --check
	@$(CIVITAS) reference --check

reducers: ## the fold, flags and prospective state beside OpenCRVS's own reducers, on all recorded action logs
	@CIVITAS_ALL_LOGS=1 cargo test --locked --workspace --test fold -- reducers

bench: setup kafka ## every figure, measured here beside its limit or peer; BENCH=backfill for one
	@cargo run --release --locked -p civitas-tests --bin bench -- $(BENCH)

fuzz: ## packs that are nearly packs; FUZZ="--minutes 10", a minute without
	@cargo run --profile fuzz --quiet --locked -p civitas-rules --example fuzz -- $(FUZZ)

chaos: setup kafka ## 20,000 events, processes killed, broker restarted, MOSIP failing
	@cargo build --release --locked -p civitas -p civitas-tests --bin civitas --bin chaos
	@$(CARGO_TARGET_DIR)/release/chaos $(CHAOS)

weeks: ## the hub silent for days, MOSIP down for days with 50,000 operations waiting; WEEKS=5000 for fewer
	@cargo run --release --locked -p civitas-tests --bin chaos -- weeks $(WEEKS)

clean: ## removes what the demo left
	@rm -rf data

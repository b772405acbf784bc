# orderflow: `make demo` runs the whole system, `make test` the whole suite, `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

SWIFT ?= swift
# Release builds have a scratch path of their own, so that the two configurations never throw each other away. They are
# optimised across modules, do without the run-time half of the exclusivity checks (debug builds and tests have them), and
# on Linux carry the Swift runtime within (docs/performance.md).
RELEASE := $(SWIFT) build -c release --scratch-path .build-release \
  -Xswiftc -cross-module-optimization -Xswiftc -enforce-exclusivity=unchecked
ifeq ($(shell uname -s),Linux)
RELEASE += --static-swift-stdlib
# What a service keeps resident: no table of names for others to link against, equal functions once, and relocations
# packed where the C library can read that (glibc 2.36).
RELEASE += -Xswiftc -use-ld=lld -Xlinker --no-export-dynamic -Xlinker --icf=safe
GLIBC := $(lastword $(shell getconf GNU_LIBC_VERSION 2>/dev/null))
ifneq ($(GLIBC),)
ifeq ($(shell printf '2.36\n%s\n' $(GLIBC) | sort -V | head -1),2.36)
RELEASE += -Xlinker -z -Xlinker pack-relative-relocs
endif
endif
endif
SWIFT_SOURCES := Package.swift WireFormat EventSchema FaultInjection Messaging ServiceDefaults OrderService InventoryService NotificationService CLI Benchmarks/Limits Tests

export WARNINGS_AS_ERRORS := 1
export SWIFT

.PHONY: help demo setup setup-test build release test soak simulation bench lint format chaos compose-up compose-down clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: setup release ## install what is missing, build, start everything on the embedded broker, print what to try
	@exec .build-release/release/orderflow up --demo

setup: ## install the missing system packages (says which)
	@scripts/setup

build: setup ## debug build of everything, warnings as errors, imports checked
	$(SWIFT) build --explicit-target-dependency-import-check error

release: setup ## release build of everything
	@echo "Building (release); the first time takes some minutes."
	$(RELEASE)

setup-test: setup ## install what the tests need beyond the build
	@scripts/setup-test

test: setup-test ## the whole test suite, as CI runs it
	$(SWIFT) build --build-tests --explicit-target-dependency-import-check error
	scripts/run-tests --skip 'SystemTests|SimulationTests'
	scripts/run-tests --filter SimulationTests
	scripts/run-tests --filter SystemTests

soak: setup-test ## the tests that take longer than CI has: members come and go for SOAK_SECONDS=120
	$(SWIFT) build --build-tests --explicit-target-dependency-import-check error
	SOAK_SECONDS=$(or $(SOAK_SECONDS),120) $(SWIFT) test --skip-build --filter SoakTests

simulation: setup ## the whole system in one thread, for a night (SEEDS=200000)
	$(SWIFT) build --build-tests --explicit-target-dependency-import-check error
	SIMULATION_SEEDS=$(or $(SEEDS),200000) $(SWIFT) test --skip-build --filter SystemSimulationTests

bench: setup release ## ours beside the peer and the limits, one table (BENCH="--only intake" for a part)
	@scripts/setup-bench
	@cd Benchmarks && .venv/bin/python -m bench $(BENCH)

lint: ## format and style, strictly
	$(SWIFT) format lint --strict --parallel --recursive $(SWIFT_SOURCES)

format: ## format in place
	$(SWIFT) format --in-place --parallel --recursive $(SWIFT_SOURCES)

chaos: build ## break a stack of its own at random, then judge it: SECONDS=600 SEED=7
	.build/debug/orderflow chaos --seconds $(or $(SECONDS),60) $(if $(SEED),--seed $(SEED)) $(if $(INSTANCES),--instances $(INSTANCES))

compose-up: ## Apache Kafka and the three services in containers
	docker compose up --build --wait

compose-down: ## stop the containers; the volumes stay
	docker compose down

clean: ## remove what was built; .orderflow/ (your orders) stays
	rm -rf .build .build-release

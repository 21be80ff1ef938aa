# Verbs only. Every verb sets up what it needs first. `make bench DEVICE=... MODELS=a,b QUICK=1`
# passes its variables on; the program has the same as options (`.venv/bin/inferometer bench --help`).
.DEFAULT_GOAL := help
.PHONY: doctor help setup setup-report setup-dev images bundle base-images models data bench telemetry probe report curve study recommend conformance test check benchmark lock verify reproduce explain compare cite

PYTHON ?= python3
VENV := .venv
INFEROMETER := $(VENV)/bin/inferometer

# $(call option,--name,VALUE): the option with its value where the variable is set.
option = $(if $(strip $(2)),$(1) '$(strip $(2))')
BENCH_OPTIONS = $(call option,--device,$(DEVICE)) $(call option,--models,$(MODELS)) \
  $(call option,--variants,$(VARIANTS)) $(call option,--runtimes,$(RUNTIMES)) \
  $(call option,--threads,$(THREADS)) $(call option,--batch,$(BATCH)) $(call option,--engine,$(ENGINE)) \
  $(call option,--scenario,$(SCENARIO)) $(call option,--streams,$(STREAMS)) \
  $(if $(filter-out 0,$(QUICK)),--quick) $(if $(filter-out 0,$(WATCH)),--watch) $(if $(filter-out 0,$(ENERGY)),--energy) \
  $(call option,--meter,$(METER)) $(call option,--sustained,$(SUSTAINED)) \
  $(call option,--budget,$(BUDGET)) $(call option,--width,$(WIDTH)) \
  $(call option,--loadgen,$(LOADGEN)) \
  $(call option,--accelerators,$(ACCELERATORS)) $(if $(filter-out 0,$(EMULATE)),--emulate) \
  $(if $(filter-out 0,$(FORCE)),--force) $(call option,--host,$(HOST)) $(call option,--build,$(BUILD)) \
  $(call option,--results,$(RESULTS)) $(call option,--seed,$(SEED)) \
  $(call option,--tune,$(TUNE)) $(call option,--bundle,$(BUNDLE))

help: ## the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## .venv from requirements.lock, every hash checked
	@$(PYTHON) bootstrap.py $(call option,--bundle,$(BUNDLE)) $(VENV) requirements.lock requirements-report.lock requirements-dev.lock

# A board without network reports as well, without Parquet, which then says what it lacks; comparing needs SciPy.
setup-report: ## .venv with what reports and comparisons need besides
	@$(PYTHON) bootstrap.py $(VENV) requirements-report.lock requirements-dev.lock || $(MAKE) --no-print-directory setup

setup-dev: ## .venv with what the tests and checks need
	@$(PYTHON) bootstrap.py $(VENV) requirements-dev.lock

bench: setup ## measure: DEVICE MODELS VARIANTS RUNTIMES THREADS BATCH SCENARIO STREAMS ENGINE HOST QUICK=1 ENERGY=1 METER SUSTAINED BUDGET=20m WIDTH=2% LOADGEN TUNE EMULATE=1 RESULTS SEED BUNDLE
	@$(INFEROMETER) bench $(BENCH_OPTIONS)

telemetry: setup ## live: what this machine's sensors say: DEVICE METER
	@$(INFEROMETER) telemetry $(call option,--device,$(DEVICE)) $(call option,--meter,$(METER))

probe: setup ## one anonymous file of what this machine's sensors say: DEVICE OUT
	@$(INFEROMETER) probe $(call option,--device,$(DEVICE)) $(call option,--out,$(OUT))

report: setup-report ## report.html and tables (md, csv, tex, parquet) of a run: RESULTS=dir OUT, or FORMAT=table|json|csv|md|tex|html to print
	@$(INFEROMETER) report $(if $(strip $(RESULTS)),'$(strip $(RESULTS))') $(call option,--format,$(FORMAT)) \
	  $(call option,--out,$(OUT))

verify: setup ## check that a results folder is what was measured: RESULTS=dir SEAL=1
	@$(INFEROMETER) verify $(RESULTS) $(if $(filter-out 0,$(SEAL)),--seal)

reproduce: setup-report ## measure a run again and compare: RESULTS=dir ALLOW=image,artifact,device DRY=1 HOST
	@$(INFEROMETER) reproduce $(RESULTS) $(call option,--allow,$(ALLOW)) $(call option,--host,$(HOST)) \
	  $(if $(filter-out 0,$(DRY)),--dry-run)

explain: setup ## what a run's figures show, with the evidence: RESULTS=dir CASE
	@$(INFEROMETER) explain $(RESULTS) $(call option,--case,$(CASE))

cite: setup ## how a results folder is cited: RESULTS=dir AUTHOR='Family, Given'
	@$(INFEROMETER) cite $(RESULTS) $(call option,--author,$(AUTHOR))

curve: setup ## draw a sustained case minute by minute as an SVG: RESULTS=dir CASE OUT
	@$(INFEROMETER) curve $(RESULTS) $(call option,--case,$(CASE)) $(call option,--out,$(OUT))

compare: setup-report ## what became faster or slower from one results folder to another: A=dir B=dir FAIL_IF='p50 > +5%' ALLOW SAME LEAST FORMAT OUT
	@$(INFEROMETER) compare $(call option,--fail-if,$(FAIL_IF)) $(call option,--allow,$(ALLOW)) $(call option,--same,$(SAME)) \
	  $(call option,--least,$(LEAST)) $(call option,--format,$(FORMAT)) $(call option,--out,$(OUT)) '$(A)' '$(B)'

study: setup ## redo a published comparison: STUDY SCALE=smoke BUDGET=2h DEVICE MODELS VARIANTS RUNTIMES DATA ENGINE HOST DATA_DIR
	@$(if $(strip $(DATA_DIR)),DATA_DIR='$(DATA_DIR)') $(INFEROMETER) study $(STUDY) $(call option,--scale,$(SCALE)) \
	  $(call option,--budget,$(BUDGET)) $(call option,--device,$(DEVICE)) $(call option,--models,$(MODELS)) \
	  $(call option,--variants,$(VARIANTS)) $(call option,--runtimes,$(RUNTIMES)) $(call option,--data,$(DATA)) \
	  $(call option,--engine,$(ENGINE)) $(call option,--host,$(HOST))

recommend: setup ## who qualifies in a measured table: RESULTS MAX_DROP=1 MAX_SIZE=5MB MAX_LATENCY=20ms MAX_MEMORY RUNTIME
	@$(INFEROMETER) recommend $(RESULTS) $(call option,--max-accuracy-drop,$(MAX_DROP)) \
	  $(call option,--max-size,$(MAX_SIZE)) $(call option,--max-latency,$(MAX_LATENCY)) \
	  $(call option,--max-memory,$(MAX_MEMORY)) $(call option,--runtime,$(RUNTIME))

images: setup ## build the runners' images now: RUNTIMES=a,b DEVICE
	@$(INFEROMETER) images --runtimes '$(or $(strip $(RUNTIMES)),all)' $(call option,--device,$(DEVICE))

base-images: setup ## make the Debian base images for amd64 and arm64 where no registry is reachable
	@$(VENV)/bin/python -m orchestrator.cli.base_images $(call option,--platforms,$(PLATFORMS)) $(TAGS)

doctor: setup ## name what is missing and its fix: DEVICE HOST EMULATE=1
	@$(INFEROMETER) doctor $(call option,--device,$(DEVICE)) $(call option,--host,$(HOST)) \
	  $(if $(filter-out 0,$(EMULATE)),--emulate)

bundle: setup ## one file for a board without network: DEVICE MODELS VARIANTS RUNTIMES BATCH OUT
	@$(INFEROMETER) bundle $(call option,--device,$(DEVICE)) $(call option,--models,$(MODELS)) \
	  $(call option,--variants,$(VARIANTS)) $(call option,--runtimes,$(RUNTIMES)) \
	  $(call option,--batch,$(BATCH)) $(call option,--accelerators,$(ACCELERATORS)) $(call option,--out,$(OUT))

models: setup ## export the model artifacts now: MODELS=a,b@cifar10 VARIANTS=nq,fiq,kd-prn BATCH BUDGET DATA_DIR
	@$(INFEROMETER) models $(call option,--models,$(MODELS)) $(call option,--variants,$(VARIANTS)) \
	  $(call option,--batch,$(BATCH)) $(call option,--budget,$(BUDGET)) $(call option,--engine,$(ENGINE))

data: setup ## list the data sets, fetch some: DATA=cifar10,cifar100 DATA_DIR
	@$(INFEROMETER) data $(call option,--fetch,$(DATA)) $(call option,--data-dir,$(DATA_DIR))

conformance: setup ## check a runner against runners/PROTOCOL.md: RUNTIME=id or IMAGE=ref
	@$(INFEROMETER) conformance $(call option,--runtime,$(RUNTIME)) $(call option,--image,$(IMAGE))

check: setup-dev ## style and types
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/ruff format --check --quiet .
	@$(VENV)/bin/mypy

test: check ## everything: style, types, tests
	@$(VENV)/bin/python -m tests

benchmark: setup-dev ## the instrument's own figures beside its peers'
	@$(VENV)/bin/python -m benchmarks

lock: ## resolve requirements*.in anew (needs the network)
	@sh .ci/lock

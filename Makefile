# Everything that a fresh clone needs: Python >= 3.11, make and git. `make help` lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The build back end and nothing else: whatever is shipped is made here.
BUILD := .cache/build
# Without the module `site`: no .pth file of a package, and no variable, has a word in what is built.
ALONE := $(BUILD)/bin/python -I -S
# uv and the checkers of definitions; apart from the environment that runs and tests cfgate.
TOOLS := .cache/tools
# The fuzzer, with what cfgate needs to run.
FUZZER := .cache/fuzzer
# The environment of the tests, and mutmut.
MUTATION := .cache/mutation

# Whose image `image-digest` builds, and for which machines.
REPOSITORY ?= your-org/cfgate
ARCHITECTURE ?= $(if $(filter aarch64 arm64,$(shell uname -m)),arm64,amd64)

# Many tests wait for something most of the time, so two of them share a core. One at a time: make test PARALLEL=
CORES := $(shell nproc 2>/dev/null || echo 2)
PARALLEL ?= --numprocesses $(shell echo $$((2 * $(CORES)))) --dist worksteal

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test quick coverage lint format definitions container pages anywhere fronts dist dist-check pyz pyz-check image-digest \
  reference cadence bench bench-fronts proofs proofs-small soak fuzz mutation pictures lock lock-upgrade lock-check clean FORCE

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' Makefile

demo: $(VENV)/runtime.txt ## gate on a live simulated job; needs no account
	@$(BIN)/python -m cfgate demo

# A part of it: make test T=tests/gate, make test T='tests/gate/test_loop.py -k stalled'.
T ?=
test: $(if $(T),$(VENV)/dev.txt,lint) ## lint, then the whole test suite; a part of it: make test T=tests/gate
	$(BIN)/python -m pytest $(if $(T),$(T),$(PARALLEL))

quick: $(VENV)/dev.txt ## the tests that start no process, with few made-up examples; half a minute on two cores
	HYPOTHESIS_PROFILE=quick $(BIN)/python -m pytest $(PARALLEL) -m 'not process' -q

# Without the tests of the guard over the credentials, half of which is off while somebody traces.
coverage: $(VENV)/dev.txt ## which lines and branches the tests run; fails under 95 %
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(PARALLEL) --ignore tests/support/test_canary_guard.py
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

mutation: $(MUTATION)/mutation.txt ## break the code in five thousand ways and count what no test notices; half an hour
	rm -rf mutants
	$(MUTATION)/bin/python -m proofs.mutation run
	$(MUTATION)/bin/python -m proofs.mutation table

# What runs on Windows and macOS too. The proofs and benchmarks, which tests import, are for Linux.
ANYWHERE := --follow-imports silent cfgate entrypoint.py composite tools tests
lint: $(VENV)/dev.txt ## ruff, and mypy for Linux, Windows and macOS
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy .ci
	$(foreach system,win32 darwin,$(BIN)/mypy --platform $(system) --cache-dir .mypy_cache/$(system) $(ANYWHERE) &&) true

format: $(VENV)/dev.txt ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

definitions: $(TOOLS)/ci.txt ## action.yml, workflows and Dockerfile, by the parsers of those who read them
	@TOOLS=$(TOOLS)/bin bash .ci/definitions/check

# Of `container`: which of its suites to run.
SUITES ?= container gitlab act pages
container: $(VENV)/dev.txt $(TOOLS)/ci.txt $(BUILD)/build.txt ## build the image, run it as the GitHub runner does, and run every example of the documents (podman and root, or docker)
	@SUITES='$(SUITES)' PYTHON=$(BIN)/python BUILD=$(BUILD)/bin/python TOOLS=$(CURDIR)/$(TOOLS)/bin bash .ci/container/prove

pages: SUITES = act pages
pages: container ## only the examples of the documents and the composite action: on act, in gitlab-ci-local, in shells

anywhere: $(VENV)/dev.txt pyz ## the single file on every Python that is here, where nothing can be written; half a minute (root)
	@PYTHON=$(BIN)/python FILE=dist/cfgate.pyz bash .ci/anywhere/prove --numprocesses $(CORES)

# Needs root and Debian, and installs the servers. A few of them: .ci/fronts/prove . REGEX
fronts: $(VENV)/dev.txt ## real servers, proxies and resolvers between the gate and an API; two minutes (root)
	@PYTHON=$(BIN)/python bash .ci/fronts/prove .

dist: $(BUILD)/build.txt ## wheel and sdist of HEAD into dist/, the same bytes for everybody with the same zlib
	@$(ALONE) tools/dist.py build dist

dist-check: dist ## build them again elsewhere, compare, install the wheel and gate with it
	@$(ALONE) tools/dist.py check dist

pyz: $(BUILD)/build.txt ## the whole program of HEAD in one file, dist/cfgate.pyz, the same bytes wherever it is made
	@$(ALONE) tools/pyz.py build dist

pyz-check: pyz ## make it again elsewhere, compare, and gate with it
	@$(ALONE) tools/pyz.py check dist

image-digest: ## build the image of HEAD as a release does (docker), and print the digest of its manifest
	@$(PYTHON) -m tools.image digest $(ARCHITECTURE) --repository $(REPOSITORY)

# --- environments -------------------------------------------------------------------------------------------
# DIR/NAME.txt is a copy of requirements/NAME.txt, made when all of it has been installed into DIR. Every wheel
# must have a hash from the lock file. An environment without such a copy is half-made, one whose interpreter
# does not run is broken (the system's Python was replaced): both are made anew.

usable = $(shell $(1)/bin/python -c 'import pip' 2>/dev/null && ls $(1)/*.txt 2>/dev/null)
ifeq ($(call usable,$(VENV)),)
$(VENV)/runtime.txt $(VENV)/dev.txt: FORCE
endif
ifeq ($(call usable,$(TOOLS)),)
$(TOOLS)/ci.txt: FORCE
endif
ifeq ($(call usable,$(BUILD)),)
$(BUILD)/build.txt: FORCE
endif
ifeq ($(call usable,$(FUZZER)),)
$(FUZZER)/fuzz.txt: FORCE
endif
ifeq ($(call usable,$(MUTATION)),)
$(MUTATION)/mutation.txt: FORCE
endif

define install
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo \
  'cfgate needs Python 3.11 or newer, which `$(PYTHON)` is not. Name another: make PYTHON=python3.13 $(MAKECMDGOALS)' >&2; exit 1; }
@test -n '$(call usable,$(@D))' || $(PYTHON) -m venv --clear $(@D)
@echo 'installing $< into $(@D)'
@$(@D)/bin/python -m pip install -qq --disable-pip-version-check --no-input --only-binary :all: --require-hashes -r $<
@cp $< $@
endef

$(VENV)/%.txt: requirements/%.txt
	$(install)

$(TOOLS)/%.txt: requirements/%.txt
	$(install)

$(BUILD)/%.txt: requirements/%.txt
	$(install)

$(FUZZER)/%.txt: requirements/%.txt
	$(install)

$(MUTATION)/%.txt: requirements/%.txt
	$(install)

# --- lock files ---------------------------------------------------------------------------------------------
# `lock` keeps every version that still fits pyproject.toml; `lock-upgrade` takes the newest ones. One lock holds
# for all supported Pythons and systems. No index is named in the files: where wheels come from is the user's
# affair, what they are is not. `lock-check` resolves again from the committed files, so a release made elsewhere
# in the world cannot turn it red; a change of pyproject.toml without `make lock` does.

COMPILE = $(CURDIR)/$(TOOLS)/bin/uv pip compile --system-certs --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --custom-compile-command 'make lock' $(LOCK_FLAGS)
define compile
@cd $(1) && $(COMPILE) pyproject.toml -o requirements/runtime.txt
@cd $(1) && $(COMPILE) pyproject.toml --group dev -c requirements/runtime.txt -o requirements/dev.txt
@cd $(1) && $(COMPILE) --group ci -o requirements/ci.txt
@cd $(1) && $(COMPILE) pyproject.toml --group fuzz -c requirements/runtime.txt -o requirements/fuzz.txt
@cd $(1) && $(COMPILE) --group build -o requirements/build.txt
@cd $(1) && $(COMPILE) pyproject.toml --group dev --group mutation -c requirements/dev.txt -o requirements/mutation.txt
endef

reference: $(VENV)/dev.txt ## write options, outputs and exit codes into the documents, from the code
	$(BIN)/python -m tools.reference

pictures: $(VENV)/dev.txt ## draw docs/images anew (needs npm and chromium)
	@mkdir -p .cache/pictures && cp .ci/pictures/*.json .cache/pictures
	@cd .cache/pictures && npm ci --loglevel=error >/dev/null
	$(BIN)/python -m tools.pictures
	$(BIN)/python -m tools.terminal

cadence: $(VENV)/dev.txt ## the bounds of the cadence in every world, on jobs of their own; about a minute
	$(BIN)/python benchmarks/cadence.py --check

bench: $(VENV)/dev.txt ## the cadence in virtual time, and the program over real HTTP; about two minutes
	$(BIN)/python benchmarks/cadence.py
	$(BIN)/python -m benchmarks.gate

# The seed of a soak is printed; another one: make soak SEED=7.
SEED ?= 1

bench-fronts: $(VENV)/dev.txt ## what an outage, limits and slow answers cost, behind real servers; a minute (root)
	@bash .ci/fronts/install curl jq
	$(BIN)/python -m benchmarks.fronts

proofs: $(VENV)/dev.txt ## try to fool, hang or silence the gate; some minutes
	$(BIN)/python -m proofs.model_check --length 3
	$(BIN)/python -m proofs.soak --gates 2000 --seed $(SEED)
	$(BIN)/python -m proofs.fault_matrix
	$(BIN)/python -m proofs.handover_matrix
	$(BIN)/python -m proofs.truth --seed $(SEED)

proofs-small: $(VENV)/dev.txt ## the same in about two minutes, with some real processes
	$(BIN)/python -m proofs.model_check --length 2
	$(BIN)/python -m proofs.soak --gates 300 --real 0.2 --seed $(SEED)
	$(BIN)/python -m proofs.fault_matrix
	$(BIN)/python -m proofs.handover_matrix
	$(BIN)/python -m proofs.truth --small --seed $(SEED)

soak: $(VENV)/dev.txt ## 2,000 gates in virtual time, then three minutes of real processes
	$(BIN)/python -m proofs.soak --gates 2000 --real 3 --seed $(SEED)

fuzz: $(FUZZER)/fuzz.txt ## fuzz all that is parsed, guided by coverage; two minutes each (Python 3.11 to 3.13)
	$(FUZZER)/bin/python -m proofs.fuzz

lock: $(TOOLS)/ci.txt ## renew requirements/*.txt after a change of pyproject.toml
	$(call compile,.)

lock-upgrade: ## renew requirements/*.txt with the newest versions
	@$(MAKE) --no-print-directory lock LOCK_FLAGS=--upgrade

lock-check: $(TOOLS)/ci.txt ## fail when requirements/*.txt do not fit pyproject.toml
	@rm -rf .cache/lock && mkdir -p .cache/lock && cp -r pyproject.toml requirements .cache/lock
	$(call compile,.cache/lock)
	@diff -u requirements .cache/lock/requirements || \
	  { echo 'requirements/ does not fit pyproject.toml: run `make lock`' >&2; exit 1; }
	@rm -rf .cache/lock
	@echo 'requirements/ fits pyproject.toml'

clean: ## remove environments and caches
	rm -rf $(VENV) .cache .coverage* .hypothesis mutants .mypy_cache .pytest_cache .ruff_cache build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

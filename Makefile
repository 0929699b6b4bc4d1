# Everything that is done with this repository. Needs python3 (3.11 or newer) with pip, and make; nothing else.
# Environments: .venv develops and tests; aws-sam-cli, checkov and AWS's Lambda runtime client pin versions
# that exclude each other, so each has an environment of its own. All are made from hashed requirement files.

PYTHON ?= python3
ENV    ?= dev
# Further arguments for pytest: make test ARGS="-k exemption -x"
ARGS   ?=
# Clusters of the fleets of make bench, and how often each is scanned
SIZES  ?= 50 200 1000
TIMES  ?= 3
# Beside whom: custodian, prowler; and what is measured
PEERS  ?= custodian
PARTS  ?= scans starts event sweeps
# Milliseconds that each call takes longer, as one to AWS does
LATENCY ?= 0
# Resources of the fleets that make bench-linear sweeps
RESOURCES ?= 700 7000 20000
# Histories that `make simulate` plays, and the seed of the first.
RUNS   ?= 30
SEED   ?= 1

VENV         := .venv
VENV_SAM     := .venv-sam
VENV_CHECKOV := .venv-checkov
VENV_RIE     := .venv-rie
VENV_BENCH   := .venv-bench
VENV_PROWLER := .venv-prowler
VENVS_PEERS  := $(if $(filter custodian,$(PEERS)),$(VENV_BENCH)/.stamp) \
                $(if $(filter prowler,$(PEERS)),$(VENV_PROWLER)/.stamp)

BIN     := $(VENV)/bin
UV      := $(BIN)/uv
SAM     := $(VENV_SAM)/bin/sam
PYTEST  := $(BIN)/python -m pytest
# On two idle cores 86 s instead of 123 s; whole files, so that what a file sets up once is not set up twice.
PARALLEL := --numprocesses auto --maxprocesses 4 --dist loadfile

# The runtime that template.yaml names. `make e2e` uses this Python where it is installed, else that of .venv.
RUNTIME      := 3.13
REQUIREMENTS := bootstrap layer dev sam checkov rie bench prowler
TYPED        := layers/warden/warden console functions tools
SOURCES      := $(TYPED) tests
TRANSFORMED  := .aws-sam/transformed.json

export UV_PYTHON_DOWNLOADS := never
export UV_NO_PROGRESS      := 1
export SAM_CLI_TELEMETRY   := 0
export AWS_DEFAULT_REGION  ?= eu-west-1
# Else every process would compile moto, and pytest rewrite each test, in every run.
export PYTHONDONTWRITEBYTECODE :=
# Warden's own variables must not leak from a shell into the tests.
unexport PYTHONPATH

.DELETE_ON_ERROR:
.PHONY: help setup demo test test-slow simulate check static lint types imports template scan-template generated \
        generate build e2e bench bench-linear deploy requirements clean pristine

help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z0-9-]+:.*## / { printf "  \033[1m%-14s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##### Environments: each is remade only when its requirement file changes.

setup: $(VENV)/.stamp ## Make the environment for development and tests

$(VENV)/.uv: requirements/bootstrap.txt tools/bootstrap.py
	@$(PYTHON) tools/bootstrap.py $(VENV) requirements/bootstrap.txt
	@touch $@

$(VENV)/.synced: $(VENV)/.uv requirements/dev.txt
	$(UV) pip sync --quiet --require-hashes --python $(BIN)/python requirements/dev.txt
	@touch $@

$(VENV)/.stamp: $(VENV)/.synced pyproject.toml layers/warden/warden/gateways/clients.py console/scan.py console/paths.py
	$(UV) pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python --editable .
	@# `warden` starts twice as fast, also where Python may not write bytecode.
	@$(BIN)/python -m compileall -q layers/warden/warden console functions \
	    $$($(BIN)/python -c "import botocore, dateutil, jmespath, urllib3 as u; \
	    print(*(m.__path__[0] for m in (botocore, dateutil, jmespath, u)))")
	@$(BIN)/python -m tools.scan_models
	@touch $@

$(VENV_SAM)/.stamp: $(VENV)/.uv requirements/sam.txt
	$(UV) venv --quiet --allow-existing --python $(BIN)/python $(VENV_SAM)
	$(UV) pip sync --quiet --require-hashes --python $(VENV_SAM)/bin/python requirements/sam.txt
	@touch $@

$(VENV_CHECKOV)/.stamp: $(VENV)/.uv requirements/checkov.txt
	$(UV) venv --quiet --allow-existing --python $(BIN)/python $(VENV_CHECKOV)
	$(UV) pip sync --quiet --require-hashes --python $(VENV_CHECKOV)/bin/python requirements/checkov.txt
	@touch $@

$(VENV_RIE)/.stamp: $(VENV)/.uv requirements/rie.txt
	python=$$($(UV) python find --no-project --system $(RUNTIME) 2>/dev/null \
	        || ls $${PYENV_ROOT:-$$HOME/.pyenv}/versions/$(RUNTIME).*/bin/python$(RUNTIME) 2>/dev/null | tail -n 1); \
	    $(UV) venv --quiet --clear --python "$${python:-$(BIN)/python}" $(VENV_RIE)
	$(UV) pip sync --quiet --require-hashes --python $(VENV_RIE)/bin/python requirements/rie.txt
	@touch $@

$(VENV_BENCH)/.stamp: $(VENV)/.uv requirements/bench.txt
	$(UV) venv --quiet --allow-existing --python $(BIN)/python $(VENV_BENCH)
	$(UV) pip sync --quiet --compile-bytecode --require-hashes --python $(VENV_BENCH)/bin/python requirements/bench.txt
	@touch $@

$(VENV_PROWLER)/.stamp: $(VENV)/.uv requirements/prowler.txt
	$(UV) venv --quiet --allow-existing --python $(BIN)/python $(VENV_PROWLER)
	$(UV) pip sync --quiet --compile-bytecode --require-hashes --python $(VENV_PROWLER)/bin/python requirements/prowler.txt
	@touch $@

##### Use and tests

demo: setup ## Watch a database drift and be put right, on a local AWS
	@$(BIN)/warden demo

test: setup ## Run the fast tests (ARGS="-k exemption" is passed on to pytest)
	@$(PYTEST) $(PARALLEL) $(ARGS)

test-slow: setup ## Run the slow tests, without those of the built artifact
	@$(PYTEST) $(PARALLEL) -m slow --ignore=tests/e2e $(ARGS)

simulate: setup ## Play random histories with faults: make simulate RUNS=200 SEED=1
	@WARDEN_RUNS=$(RUNS) WARDEN_SEED=$(SEED) $(PYTEST) -s -q -p no:randomly -m slow tests/simulation/test_weather.py

check: static test test-slow ## Run everything that must pass before a merge

static: lint types imports generated template scan-template ## Run every check that is not a test

lint: setup
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)

types: setup
	$(BIN)/mypy $(TYPED)

imports: setup
	$(BIN)/lint-imports

generated: setup
	$(BIN)/python -m tools.generate --check

template: setup $(VENV_SAM)/.stamp
	$(BIN)/cfn-lint template.yaml
	$(SAM) validate --lint

scan-template: $(TRANSFORMED) $(VENV_CHECKOV)/.stamp ## Scan the transformed template for insecure settings
	$(VENV_CHECKOV)/bin/checkov --config-file .checkov.yaml --file $(TRANSFORMED)

$(TRANSFORMED): template.yaml tools/transform_template.py $(VENV)/.stamp
	@mkdir -p $(@D)
	$(BIN)/python -m tools.transform_template template.yaml $@

generate: setup ## Write what is generated from the controls: permissions, reference pages
	@$(BIN)/python -m tools.generate

##### Lambda

build: setup $(VENV_SAM)/.stamp ## Build functions and layers for Lambda, and show their zipped sizes
	$(SAM) build
	@$(BIN)/python -m tools.artifact_sizes .aws-sam/build

e2e: build $(VENV_RIE)/.stamp ## Build, then run the built functions in AWS's runtime interface emulator
	@E2E_REQUIRED=1 $(PYTEST) -m slow tests/e2e $(ARGS)

bench: build $(VENV_RIE)/.stamp $(VENVS_PEERS) ## Measure scans, cold starts, an event, sweeps (SIZES="50 200 1000" PEERS="custodian prowler")
	@$(BIN)/python -m tools.benchmark.compare --sizes $(SIZES) --times $(TIMES) --latency $(LATENCY) \
	    --peers $(PEERS) --parts $(PARTS)

bench-linear: SIZES = 100 1000 5000
bench-linear: build $(VENV_RIE)/.stamp ## Measure how scans and sweeps grow (SIZES="100 1000 5000" RESOURCES="700 7000 20000")
	@$(BIN)/python -m tools.benchmark.linear --sizes $(SIZES) --resources $(RESOURCES) --write

deploy: build ## Deploy to AWS: make deploy ENV=dev, or ENV=prod, which shows the changes and asks
	$(SAM) deploy --config-env $(ENV)

##### Upkeep

requirements: $(VENV)/.uv ## Compile requirements/*.in to hashed *.txt (UPGRADE=--upgrade takes newer versions)
	@for name in $(REQUIREMENTS); do \
	    echo "requirements/$$name.txt"; \
	    $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	        --no-annotate --custom-compile-command "make requirements" $(UPGRADE) \
	        "requirements/$$name.in" --output-file "requirements/$$name.txt" || exit 1; \
	done

clean: ## Remove what was built and cached
	rm -rf .aws-sam dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage
	find . -path './.venv*' -prune -o -name __pycache__ -type d -exec rm -rf {} +

pristine: clean ## Remove the environments too
	rm -rf $(VENV) $(VENV_SAM) $(VENV_CHECKOV) $(VENV_RIE) $(VENV_BENCH) $(VENV_PROWLER)

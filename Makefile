# xgtwin: `make up` runs it, `make test` proves it. Needs Python 3.11+ and make, nothing else.
.DEFAULT_GOAL := help
.PHONY: help up setup test integration secrets check audit format lock env-example samples clean

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALL := $(PIP) install --quiet --no-deps --require-hashes

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1|/' | column -t -s '|'

up: setup ## install what is missing and run everything on embedded defaults (Ctrl+C stops it)
	@$(BIN)/xgtwin up

setup: $(VENV)/.runtime ## install what running needs into .venv

test: $(VENV)/.dev ## install what testing needs and run all tests that need no container engine
	@$(BIN)/python -m pytest --ignore tests/integration/stack

integration: $(VENV)/.dev ## start docker-compose.yml in the container engine and try it, failures included
	@TEST_POSTGRES=container $(BIN)/python -m pytest -k "pgvector or postgresql" tests/contract tests/integration/xgtwin
	@$(BIN)/python -m pytest --timeout 600 tests/integration/stack

secrets: ## make the passwords of the Compose stack, once, into .env
	@sh deploy/docker/secrets.sh

check: $(VENV)/.dev ## formatting, lint and types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

# Of the two services that pip-audit can ask, this one fails loudly when it is not reached.
audit: ## look all locked packages up among the known vulnerabilities (needs the internet)
	@$(PYTHON) -m venv .cache/audit
	@.cache/audit/bin/python -m pip --disable-pip-version-check install --quiet pip-audit
	@for lock in requirements/*.txt; do echo "$$lock" && \
		.cache/audit/bin/pip-audit --vulnerability-service osv --require-hashes --disable-pip --requirement "$$lock" || exit 1; done

format: $(VENV)/.dev ## format and mend what can be mended
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

env-example: $(VENV)/.runtime ## write .env.example and deploy/compose.settings.yml from the settings
	@$(BIN)/python -m shared.settings > .env.example
	@$(BIN)/python -m shared.compose_settings > deploy/compose.settings.yml

samples: $(VENV)/.dev ## build the sample PDFs of watched_docs/ from docs/samples/
	@$(BIN)/python docs/samples/build.py

lock: $(VENV)/.dev ## choose the newest versions that fit together; one choice for all sets
	@$(PIP) install --quiet uv
	@cd requirements && for set in dev xgtwin ingest query twin; do \
		constraint=$$([ $$set = dev ] || echo "-c dev.txt"); \
		../$(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes \
			--no-emit-index-url --no-header --override overrides.in $$constraint $$set.in -o $$set.txt || exit 1; done
	@cd requirements && ../$(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header litellm.in -o litellm.txt
	@cd requirements && ../$(BIN)/uv pip compile -q --upgrade --no-deps --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header test-models.in -o test-models.txt

clean: ## remove the virtual environment and caches; the data folder stays
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache *.egg-info

$(BIN)/python:
	@[ -n "$(PYTHON)" ] || { echo "xgtwin needs Python 3.11 or newer; none was found on this machine."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
		echo "This Python cannot make virtual environments. On Debian or Ubuntu: apt install python3-venv"; \
		rm -rf $(VENV); exit 1; }

$(VENV)/.runtime: requirements/xgtwin.txt pyproject.toml | $(BIN)/python
	@echo "Installing xgtwin into $(VENV) (once; a minute or two) ..."
	@$(INSTALL) -r requirements/xgtwin.txt
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt requirements/test-models.txt $(VENV)/.runtime
	@echo "Installing what the tests need ..."
	@$(INSTALL) -r requirements/dev.txt
	@$(INSTALL) -r requirements/test-models.txt
	@touch $@

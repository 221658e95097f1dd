# Everything that a contributor does; `make` alone lists it.
.DEFAULT_GOAL := help
.PHONY: help setup demo demo-catalog test test-all check serve bench docs clean

python := .venv/bin/python
address ?=
NAME ?=
OPTIONS ?=

help: ## This list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

setup: ## Install what is missing: system packages, .venv, the GDAL binding
	@scripts/setup.sh

demo: setup ## Simulate a pair, make its interferogram and its pictures
	@$(python) examples/demo.py

demo-catalog: setup ## Find, stage and fetch simulated products at a provider on this machine
	@$(python) examples/demo_catalog.py

test: setup ## Run the tests (minutes)
	@$(python) -m pytest -m "not slow" -n auto --dist loadfile

test-all: setup ## Run the tests, the slow ones too
	@$(python) -m pytest

check: setup ## Lint, formatting, types, architecture, docstrings, docs
	$(python) -m ruff check
	$(python) -m ruff format --check
	$(python) -m mypy
	.venv/bin/lint-imports --no-logo
	@git ls-files 'kernels/*.py' 'processes/*.py' 'catalog/*.py' | xargs .venv/bin/numpydoc lint
	@$(MAKE) --no-print-directory docs

serve: setup ## Serve the processes (address=HOST:PORT, else that of pywps.cfg)
	@$(python) -m processes serve $(if $(address),--address $(address))

bench: setup ## Run the benchmark NAME=... OPTIONS=... (without a name: list them)
	@$(python) -m benchmarks $(NAME) $(OPTIONS)

docs: setup ## Build the documentation into docs/_build/html
	@$(python) -m sphinx --fail-on-warning --keep-going --quiet -j auto -b html docs docs/_build/html
	@echo "docs: docs/_build/html/index.html"

clean: ## Remove what was built; .venv stays
	rm -rf build docs/_build docs/generated .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -path ./.venv -prune -o -name __pycache__ -type d -exec rm -rf {} +

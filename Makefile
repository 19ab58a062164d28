# Yorisoi. Every target sets up what it needs; Python >= 3.11 and make are enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
INSTALL := $(PIP) install --require-hashes --only-binary :all: --no-deps

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo test check format bench sim lock clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.runtime  ## create .venv with the yorisoi command, from pinned and hashed packages
setup-dev: $(VENV)/.dev

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Yorisoi needs Python 3.11 or newer; this is " + sys.version.split()[0] + " (set PYTHON=/path/to/python3.11)")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements/runtime.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing Yorisoi into $(VENV) (about a minute the first time) ..."
	@$(INSTALL) -r requirements/runtime.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.runtime
	@echo "Installing what tests and checks need ..."
	@$(INSTALL) -r requirements/dev.txt
	@touch $@

demo: setup  ## the whole story on this machine: no key, no network; opens a page
	@$(BIN)/yorisoi demo

test: setup-dev  ## all tests, on a real PostgreSQL that the tests start themselves
	@$(BIN)/python -m pytest -n 4 --dist worksteal

check: setup-dev  ## lint, format, types, import contracts, rule tests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/yorisoi rules test followups/playbooks

format: setup-dev  ## rewrite the code in the house format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: setup-dev  ## speed, as ratios against a baseline measured in the same run
	@$(BIN)/python -m benchmarks

sim: setup-dev  ## the long campaigns: kills (KILLS, SEED), permutations, races, broken files; hours
	@KILLS=$${KILLS:-400} $(BIN)/python -m pytest tests/stories/test_kill.py
	@KILLS=$${KILLS:-60} $(BIN)/python -m pytest tests/stories/test_kill_steps.py
	@YORISOI_PERMUTATIONS=$${PERMUTATIONS:-2000} $(BIN)/python -m pytest tests/flows/test_permutations.py
	@RACES=$${RACES:-1000} $(BIN)/python -m pytest tests/flows/test_races.py
	@FUZZ=$${FUZZ:-50000} $(BIN)/python -m pytest -n auto tests/followups/test_parsing_fuzz.py

lock:  ## pin the newest allowed versions again, with hashes
	@$(PYTHON) -m venv $(VENV)/lock && $(VENV)/lock/bin/pip install -q 'uv==0.13.9'
	@$(VENV)/lock/bin/uv pip compile pyproject.toml requirements/build.in --universal --python-version 3.11 \
	  --generate-hashes --no-annotate --no-header -q --upgrade -o requirements/runtime.txt
	@$(VENV)/lock/bin/uv pip compile pyproject.toml requirements/build.in --group dev -c requirements/runtime.txt --universal --python-version 3.11 \
	  --generate-hashes --no-annotate --no-header -q --upgrade -o requirements/dev.txt

clean:  ## remove what make created; the data folder .yorisoi stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache build dist

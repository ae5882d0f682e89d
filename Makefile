# Two commands: `make run` and `make test`. Each does all of its own set-up.
PYTHON  ?= python3
BIN     := .venv/bin
PRACTICE := data/gleason-practice

# make run DATA=/data/gleason TRIALS=40 makes it the real thing, a study of its own.
WORKERS ?= 2
TRIALS  ?=
DATA    ?=
# One more than the two cores that CI has: a third of a test's time is waiting for other processes.
JOBS    ?= 3

.PHONY: run test acceptance check format screenshots priors secrets clean help

help:  ## what can be made
	@sed -n 's/^\([a-z]*\):.*##/\1\t/p' $(MAKEFILE_LIST)

run: .venv/.ready  ## a real search with its dashboard in the browser
	$(if $(DATA),,$(BIN)/search data make gleason --out $(PRACTICE))
	$(BIN)/search run --study gleason --workers $(WORKERS) \
		--data "$(or $(DATA),$(PRACTICE))" $(if $(TRIALS),--trials $(TRIALS))

test: .venv/.ready  ## every test
	@# Tests start a thousand processes, which would compile these anew where Python keeps nothing.
	$(BIN)/python -m compileall -q search objectives spaces storage dashboards
	$(BIN)/pytest -n $(JOBS) --dist worksteal $(ARGS)

acceptance: .venv/.ready  ## the long forms: minutes of outage, fifty rounds of faults
	$(BIN)/pytest -m full $(ARGS)

check: .venv/.ready  ## format, lint, types, floor plan
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/.ready  ## put the code into the house's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

screenshots: .venv/.ready  ## the README's pictures, from a real run of the digits study
	$(BIN)/python -m benchmarks.screenshots

priors: .venv/.ready  ## the picture of docs/priors.md, from two real searches of a minute
	$(BIN)/python -m benchmarks.priors

# Of random bytes in hexadecimal, which every program reads the same.
WORD = $$(od -An -tx1 -N24 /dev/urandom | tr -d ' \n')

secrets:  ## a password and tokens for docker-compose.yml, in secrets/
	@test ! -e secrets || { echo "secrets/ is there already, with the password of Postgres; keep it" >&2; exit 2; }
	@umask 077; mkdir secrets && password=$(WORD) && printf '%s\n' "$$password" > secrets/postgres && \
		printf 'PGPASSWORD=%s\n' "$$password" > secrets/search && \
		printf 'viewer: %s\nwriter: %s\n' "$(WORD)" "$(WORD)" > secrets/tokens
	@if [ "$$(id -u)" = 0 ]; then chown 1000:1000 secrets/*; \
		else printf 'RUN_AS=%s:%s\n' "$$(id -u)" "$$(id -g)" >> .env; fi

clean:  ## remove what was installed here, never studies or data
	rm -rf .venv

.venv/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make $(MAKECMDGOALS) PYTHON=python3.11" >&2; exit 2; }
	@echo "Installing into .venv: once, 6.5 GB, mostly PyTorch, a few minutes"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -qq --upgrade pip  # -qq: errors only
	@$(BIN)/python -m pip install -qq --constraint constraints.txt --editable '.[dev]'
	@touch $@

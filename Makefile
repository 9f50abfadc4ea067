# Two commands do everything on a fresh machine with Python 3.11 or 3.12: make run, make test.

PYTHON ?= $(shell for p in python3.11 python3.12 python3; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' 2>/dev/null \
	&& echo $$p && break; done)
VENV := .venv
READY := $(VENV)/.ready
DBT := .venv-dbt
DBT_READY := $(DBT)/.ready
WAREHOUSE ?= out/sample.duckdb
TEST_PROCESSES ?= 2
export HF_HUB_OFFLINE ?= 1

.PHONY: run test slow lint docs site clean

run: $(READY) ## Annotate the bundled sample and show what came out
	@mkdir -p $(dir $(WAREHOUSE))
	$(VENV)/bin/charthouse demo --warehouse $(WAREHOUSE)

test: $(READY) $(DBT_READY) ## All tests but the slow ones, a file's by one of two processes
	$(VENV)/bin/python -m pytest -m "not slow" -n $(TEST_PROCESSES) --dist loadfile

slow: $(READY) $(DBT_READY) ## Whole runs, kills, servers, clusters, a clean install of the wheel; in two processes too
	$(VENV)/bin/python -m pytest -m slow -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder

lint: $(READY) ## Style, types, room boundaries, generated docs
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/python scripts/write_docs.py --check
	$(VENV)/bin/python scripts/write_dbt_sources.py --check

docs: $(READY) ## Write the generated parts of docs/, the dbt package's sources among them
	$(VENV)/bin/python scripts/write_docs.py
	$(VENV)/bin/python scripts/write_dbt_sources.py

site: $(READY) ## Build the documentation site into site/; open site/index.html
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/python -m mkdocs build --strict

clean: ## Remove the environments and what make run and make site wrote
	rm -rf $(VENV) $(DBT) out site

# torch first and by this exact name, so that a CPU build is taken where one is offered; every
# other package is content with what is there.
$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or 3.12 is needed; set PYTHON=/path/to/it"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	@touch $@

# dbt has an environment of its own: it asks for older versions of what charthouse needs.
$(DBT_READY): docs/dbt/requirements.txt
	$(PYTHON) -m venv $(DBT)
	$(DBT)/bin/python -m pip install --quiet --disable-pip-version-check -r docs/dbt/requirements.txt
	@touch $@

# What this folder can do. Every target that needs something installs it first, once.
# Options: SCALE=small|full  DAYS=3  ARGS="what is passed on to pytest or the benchmark"
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-fast coverage check lint format reference docs hooks airflow benchmark prove clean

BIN := .venv/bin
SETUP := sh scripts/setup.sh
SQL := dbt_project/models
# no JVM and no Airflow, nothing above half a minute
FAST := not spark and not airflow and not slow

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what the demo needs: environment, Java, jars
	@$(SETUP)

demo: setup ## run the whole pipeline on the real retail data (SCALE=full, DAYS=3)
	@$(BIN)/lakehouse demo $(if $(SCALE),--scale $(SCALE)) $(if $(DAYS),--days $(DAYS)) $(ARGS)

test: ## install what the tests need and run them all (ARGS="-k bronze")
	@$(SETUP) --group dev --group airflow
	@$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

test-fast: ## run the tests that start no JVM and no Airflow
	@$(SETUP) --group dev
	@$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m "$(FAST)" $(ARGS)

coverage: ## measure what the fast tests cover and compare with the floor
	@$(SETUP) --group dev
	@$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m "$(FAST)" --cov --cov-report=term --cov-report=xml $(ARGS)

check: lint ## what CI runs: format, lint, types, layers, SQL, contracts, documentation, then the tests
	@$(MAKE) --no-print-directory test

lint: ## everything that `make check` does before the tests
	@$(SETUP) --group dev --group airflow --group docs
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(if $(wildcard $(SQL)),$(BIN)/sqlfluff lint --disable-progress-bar $(SQL))
	$(BIN)/codespell
	$(BIN)/lakehouse contracts diff --against earlier
	$(BIN)/python scripts/cli_reference.py --check
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

format: ## format Python and SQL, and fix what can be fixed
	@$(SETUP) --group dev
	$(BIN)/ruff format
	$(BIN)/ruff check --fix
	$(if $(wildcard $(SQL)),$(BIN)/sqlfluff fix --disable-progress-bar $(SQL))

reference: ## write docs/reference/cli.md from the commands
	@$(SETUP)
	@$(BIN)/python scripts/cli_reference.py

docs: ## build the documentation site into site/; broken links fail
	@$(SETUP) --group docs
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "open site/index.html; with search: $(BIN)/python -m http.server --bind 127.0.0.1 --directory site"

hooks: ## install the git hooks: checks before a commit, the fast tests before a push
	@$(SETUP) --group dev
	@$(BIN)/pre-commit install

airflow: ## bring up Airflow with the DAGs on this machine only
	@$(SETUP) --group airflow
	@$(BIN)/python scripts/serve_airflow.py

benchmark: ## run the benchmarks (SCALE=full, ARGS="--only NAME")
	@$(SETUP) --group dev
	@$(BIN)/python -m benchmarks $(if $(SCALE),--scale $(SCALE)) $(ARGS)

prove: ## carry random change logs and kill runs at every commit (ARGS="--logs 500 --kills 10")
	@$(SETUP) --group dev
	@$(BIN)/python -m proofs $(ARGS)

clean: ## remove what runs wrote; what set-up installed stays
	rm -rf .lakehouse .reports site dbt_project/target dbt_project/logs .pytest_cache .ruff_cache .import_linter_cache .hypothesis

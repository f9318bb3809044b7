# What this folder can do. Every target that needs something installs it first, once.
# Options: SCALE=small|full  DAYS=3  ARGS="what is passed on to pytest or the benchmark"
.DEFAULT_GOAL := help
.PHONY: help setup demo test check format airflow benchmark prove clean

BIN := .venv/bin
SETUP := sh scripts/setup.sh
SQL := dbt_project/models

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what the demo needs: environment, Java, jars
	@$(SETUP)

demo: setup ## run the whole way of a row on the real retail data (SCALE=full, DAYS=3)
	@$(BIN)/lakehouse demo $(if $(SCALE),--scale $(SCALE)) $(if $(DAYS),--days $(DAYS)) $(ARGS)

test: ## install what the tests need and run them all (ARGS="-k bronze")
	@$(SETUP) --group dev --group airflow
	@$(BIN)/pytest -n 2 --dist loadfile $(ARGS)

check: ## what CI runs: format, lint, types, layers, SQL, contracts, then the tests
	@$(SETUP) --group dev --group airflow
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(if $(wildcard $(SQL)),$(BIN)/sqlfluff lint --disable-progress-bar $(SQL))
	$(BIN)/lakehouse contracts diff --against earlier
	@$(MAKE) --no-print-directory test

format: ## format Python and SQL, and fix what can be fixed
	@$(SETUP) --group dev
	$(BIN)/ruff format
	$(BIN)/ruff check --fix
	$(if $(wildcard $(SQL)),$(BIN)/sqlfluff fix --disable-progress-bar $(SQL))

airflow: ## bring up Airflow with the DAGs on this machine only
	@$(SETUP) --group airflow
	@$(BIN)/python scripts/serve_airflow.py

benchmark: ## measure what benchmarks/ promises (SCALE=full)
	@$(SETUP) --group dev
	@$(BIN)/python -m benchmarks $(if $(SCALE),--scale $(SCALE)) $(ARGS)

prove: ## try random logs and kill runs everywhere (ARGS="--logs 500 --kills 10")
	@$(SETUP) --group dev
	@$(BIN)/python -m proofs $(ARGS)

clean: ## remove what runs wrote; what set-up installed stays
	rm -rf .lakehouse dbt_project/target dbt_project/logs .pytest_cache .ruff_cache .import_linter_cache .hypothesis

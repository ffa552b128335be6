# Everything runs in .venv, which is made anew when pyproject.toml or requirements.lock change.
.PHONY: demo test check bench soak generate format lock clean
.DEFAULT_GOAL := test
BIN := .venv/bin
IN_VENV := PATH="$(CURDIR)/$(BIN):$$PATH"
SETUP := .venv/.stamp
# Tests mostly wait for servers, so that one process more than there are processors in a small machine does no harm.
TEST_PROCESSES ?= 3

demo: $(SETUP) ## Walk one release from HOLD to ALLOW_WITH_CANARY and on to ROLLBACK_RECOMMENDED.
	@$(IN_VENV) deploy/demo/run.sh

test: $(SETUP) ## Run every test, on SQLite and PostgreSQL.
	$(BIN)/pytest --numprocesses=$(TEST_PROCESSES) --dist=loadfile --cov --cov-report=

check: $(SETUP) ## Formatting, lint, types, imports, contract, generated code, coverage.
	@$(IN_VENV) .ci/check

bench: $(SETUP) ## Measure the service beside bare references; BENCH=--quick takes a minute.
	@$(BIN)/python tests/perf/bench.py $(BENCH)

soak: $(SETUP) ## Kill the server and PostgreSQL, and trouble the database, as often and as long as it takes to trust them.
	PASSPORT_TEST_SOAK=1 $(BIN)/pytest tests/integration/test_crash.py tests/integration/test_database_trouble.py

generate: $(SETUP) ## Generate the code of the contract in every language, and the schemas of policies.
	$(BIN)/python proto/generate.py && $(BIN)/python policies/schema/generate.py
	$(BIN)/python clients/python/async_stub.py && $(BIN)/python clients/go/generate.py && $(BIN)/python clients/typescript/generate.py

format: $(SETUP) ## Format code and protos.
	$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format . && $(BIN)/buf format --write

lock: $(SETUP) ## Lock the newest versions that pyproject.toml allows.
	@$(IN_VENV) .ci/lock

clean: ## Remove everything that is made from something else.
	rm -rf .venv build dist .coverage .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

$(SETUP): pyproject.toml requirements.lock
	@.ci/setup

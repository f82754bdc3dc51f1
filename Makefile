# Everything runs in .venv, which is made from pyproject.toml and sees no package of the system.

PYTHON ?= python3
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
LOCK := --quiet --universal --python-version 3.13 --generate-hashes --no-annotate --no-emit-index-url \
  --custom-compile-command 'make lock'
unexport PYTHONPATH PYTHONHOME

.DEFAULT_GOAL := help
.PHONY: help demo wheel test quick lint schema lambda keeper pictures soak mutants lock bench clean
.DELETE_ON_ERROR:

help: ## Show what can be made.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/demo.stamp ## Show it all against an embedded user pool; ARGS=--once ends after one walk.
	@$(BIN)/cognito-scim demo $(ARGS)

wheel: $(VENV)/bin/python ## Make the wheel, in DIST (dist); pip installs it anywhere.
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir $(or $(DIST),dist) .
	@ls $(or $(DIST),dist)/cognito_scim-*.whl

test: $(VENV)/test.stamp ## Get the real parts, lint and run every test; ARGS go to pytest.
	@tests/parts > $(VENV)/postgresql
	@$(BIN)/python -m tests.ministack.server
	@$(MAKE) --no-print-directory lint
	@PATH="$$(cat $(VENV)/postgresql):$$PATH" $(BIN)/python -m pytest -n 4 --dist loadfile $(ARGS)

QUICK := $(addprefix tests/,directory scim config journal web/api test_logs.py \
	$(addprefix cognito/test_,pages.py pace.py answers.py parsing.py errors.py deadline.py) \
	$(addprefix rotation/,model engine sign_in/test_srp.py sign_in/test_authenticator.py))

quick: $(VENV)/test.stamp ## Run the tests that start no process and open no port, in about a minute.
	@$(BIN)/python -m pytest -p tests.quick -n 2 -q $(QUICK) $(ARGS)

lint: $(VENV)/test.stamp ## Check style, types and the direction of imports.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

schema: $(VENV)/test.stamp ## Make schemas/config.schema.json from the configuration's models.
	$(BIN)/python -c 'from connector.config.keys import schema; print(schema(), end="")' > schemas/config.schema.json

lambda: $(VENV)/bin/python ## Make the zips of the rotation function and the credential proxy, the same bytes every time.
	@$(BIN)/python -m deploy.lambda_zip $(ARGS)

keeper: $(VENV)/test.stamp ## Make the Keeper plugins, single files, from deploy/keeper/source and connector/rotation.
	@$(BIN)/python -m deploy.keeper.flatten

pictures: $(VENV)/test.stamp ## Take the pictures of the console in docs/images, in Chromium.
	@$(BIN)/python -m tests.browser.pictures $(ARGS)

soak: $(VENV)/test.stamp ## Sync, walk and kill for ten minutes; ARGS="--seconds 60 --seed 1" says how long and which.
	@tests/parts > $(VENV)/postgresql
	@PATH="$$(cat $(VENV)/postgresql):$$PATH" $(BIN)/python -m tests.soak $(ARGS)

mutants: $(VENV)/test.stamp ## Make every small mistake in the safeguard and the comparison; a test must notice each.
	@$(BIN)/python -m tests.mutants $(ARGS)

lock: ## Write down what the image is made of, each file by its hash; needs uv. ARGS=--upgrade takes the newest.
	@uv pip compile $(LOCK) --extra postgres --output-file deploy/requirements.lock $(ARGS) pyproject.toml
	@echo 'hatchling>=1.27' | uv pip compile $(LOCK) --output-file deploy/build.lock $(ARGS) -

bench: $(VENV)/test.stamp ## Measure; docs/explanation/measurements.md says what.
	@$(BIN)/python -m benchmarks $(ARGS)

clean: ## Remove what was made.
	rm -rf $(VENV) .demo build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "cognito-scim needs Python 3.11 or newer, and $(PYTHON) is not; try: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "$(PYTHON) cannot make a virtual environment (Debian: apt-get install python3-venv)" >&2; rm -rf $(VENV); exit 1; }

$(VENV)/%.stamp: pyproject.toml $(VENV)/bin/python
	@echo "Installing cognito-scim[$*] into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@

# `make check` checks the example submission, `make test` runs lint, types and all tests.
# Both make .venv first. PYTHON=python3.x chooses another interpreter.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: check test lint types tests benchmarks docs format clean

check: .venv/.installed
	@mkdir -p build
	$(BIN)/aecc-package build example_submission -o build/example_submission.zip --force --no-check
	@# --trust: the example is ours, so where no strong box works the weak one will do
	$(BIN)/aecc-check build/example_submission.zip --trust --report json=build/example_submission.json

test: lint types tests

lint: .venv/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: .venv/.installed
	$(BIN)/mypy

tests: .venv/.installed
	$(BIN)/python -m pytest -n auto --dist worksteal

benchmarks: .venv/.installed
	for script in benchmarks/*.py; do $(BIN)/python $$script; done

docs: .venv/.installed
	$(BIN)/sphinx-build -q -W docs build/site

format: .venv/.installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv build dist

.venv/.installed: pyproject.toml constraints.txt tests/encoders/requirements.txt tools/setup.sh
	tools/setup.sh $(PYTHON)

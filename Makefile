# Each target sets up what it needs: a virtual environment in .venv, made once and renewed when
# pyproject.toml changes. Another Python: PYTHON=python3.12 make test

PYTHON ?= python3
VENV = .venv
BIN = $(VENV)/bin

.PHONY: help demo test test-all test-long lint docs encoder clean package environment

help:
	@echo 'make demo      scan the sample articles; writes demo/report.html'
	@echo 'make test      the fast tests'
	@echo 'make test-all  the slow tests, those in a browser and those on corpora'
	@echo 'make test-long whole updates and lost executors on Spark, half an hour'
	@echo 'make lint      style, types, direction of imports'
	@echo 'make docs      write the generated parts of docs/ anew; build the site into .site/html'
	@echo 'make encoder   fetch a sentence encoder into .encoder (80 MB) for the tests that need one'
	@echo 'make clean     remove .venv, demo/ and caches'

demo: package
	@$(BIN)/python -m dedup scan data/sample/articles.jsonl --out demo --overwrite
	@echo
	@echo 'Open demo/report.html in a browser. docs/output.md explains the other files of demo/.'

test: environment
	$(BIN)/python -m pytest -n 2 -m 'not long and not slow and not browser and not corpus'

# Exit code 5 of pytest: there is no such test.
test-all: environment
	@CHROMIUM=`sh tools/chromium.sh`; test -z "$$CHROMIUM" || export CHROMIUM; \
	sh tools/java.sh >/dev/null; \
	echo "$(BIN)/python -m pytest -n 2 -m '(slow or browser or corpus) and not long'"; \
	$(BIN)/python -m pytest -n 2 -m '(slow or browser or corpus) and not long' || test $$? -eq 5

test-long: environment
	@sh tools/java.sh >/dev/null; $(BIN)/python -m pytest -m long

lint: environment
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: environment
	$(BIN)/python tools/build_settings_doc.py
	$(BIN)/python tools/build_commands_doc.py
	$(BIN)/python tools/build_columns_doc.py
	$(BIN)/python tools/build_performance_doc.py
	$(BIN)/python tools/build_site.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

# A real model for tests/test_semantic.py, which skips those tests without it.
encoder: environment
	$(BIN)/python tools/build_encoder.py .encoder

clean:
	rm -rf $(VENV) .encoder .peers demo build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

package:
	@sh tools/environment.sh '$(PYTHON)' $(VENV)

environment:
	@sh tools/environment.sh '$(PYTHON)' $(VENV) dev

# Every target sets up .venv by itself: a fresh machine needs Python 3.11+ with venv, and make.
PYTHON ?= python3
RUN := .venv/bin

.PHONY: demo test check bench format translations clean

.venv/ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(RUN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

demo: .venv/ready ## diagnose a recorded incident: no cluster, no Docker, no cloud
	@$(RUN)/diagnose demo; status=$$?; test $$status -eq 1 # the incident is a failing service, so 1 is the right answer

test: .venv/ready ## run all tests; those that need a missing part say so and are skipped
	$(RUN)/pytest

check: .venv/ready ## format, lint, types, layers, and the rules' own examples
	$(RUN)/ruff format --check .
	$(RUN)/ruff check .
	$(RUN)/mypy
	$(RUN)/lint-imports
	$(RUN)/diagnose rules test

bench: .venv/ready ## print the speed ratios
	$(RUN)/python -m bench

translations: .venv/ready ## bring the catalogues of the translators up to date with the texts, and compile them
	$(RUN)/python -m tools.translations

screenshots: .venv/ready ## take the pictures of docs/ anew, with the system's Chromium
	$(RUN)/python docs/screenshots.py

format: .venv/ready ## put the code into shape
	$(RUN)/ruff format .
	$(RUN)/ruff check --fix .

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
export PYTHON VENV

.PHONY: help demo test test-vm lint unit rulesets bench lock new-control clean

help:
	@echo 'make demo    the main job on this machine and, where containers can run, on a small real fleet'
	@echo 'make test    sets up what the tests need and runs all of them'
	@echo 'make test-vm what wants a kernel of its own, in a virtual machine (a quarter of an hour)'
	@echo 'make lint    ruff, mypy, import-linter, shellcheck, ansible-lint'
	@echo 'make rulesets COUNT=5000 FROM=170   more firewall rulesets held to real packets'
	@echo 'make bench   collecting against bare ssh, side by side'
	@echo 'make new-control NAME=family.name   the files of a new control'
	@echo 'make lock    renews the lock files'

demo:
	@tools/prepare.sh demo
	@$(BIN)/python -m tools.demo

test:
	@tools/prepare.sh test
	@$(MAKE) --no-print-directory lint
	$(BIN)/python -m pytest $(PYTEST_ARGS)

test-vm:
	@tools/prepare.sh test
	@tests/vm/prepare.sh
	HOSTPLEDGE_TEST_VM=1 $(BIN)/python -m pytest tests/vm $(PYTEST_ARGS)

unit:
	$(BIN)/python -m pytest -m 'not fleet' $(PYTEST_ARGS)

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	shellcheck -s sh collector/script.sh
	shellcheck tools/*.sh tests/vm/prepare.sh .ci/run
	$(BIN)/ansible-lint --offline --profile production playbooks roles

rulesets:
	HOSTPLEDGE_RULESETS=$(or $(COUNT),5000) HOSTPLEDGE_RULESETS_FROM=$(or $(FROM),170) \
	  $(BIN)/python -m pytest -s tests/facts/test_exposure_generated.py

bench:
	@tools/prepare.sh test
	@$(BIN)/python -m tests.bench.collecting $(BENCH_ARGS)

lock:
	@tools/lock.sh

new-control:
	@$(BIN)/python -m tools.new_control $(NAME)

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache build dist demo

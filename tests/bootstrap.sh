#!/bin/sh
# Makes .venv: Python by uv, every package by hash. Brings python3-venv where Debian left it out.
set -eu
cd "$(dirname "$0")/.."

reason() {
  printf 'error: %s\n' "$1" >&2
  exit 1
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

have_python() {
  python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

if ! have_python; then
  # shellcheck disable=SC1091
  . /etc/os-release 2>/dev/null || true
  case "${ID:-} ${ID_LIKE:-}" in
    *debian*) ;;
    *) reason 'Python 3.11 with venv is missing, and only Debian and Ubuntu can be served with it' ;;
  esac
  as_root true 2>/dev/null || reason 'Python 3.11 with venv is missing, and installing it needs root or passwordless sudo'
  as_root apt-get -q update >&2
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends \
    python3 python3-venv ca-certificates >&2
  have_python || reason 'this system has no Python 3.11 or newer'
fi

[ -x .venv/bin/python ] || python3 -m venv .venv
[ -x .venv/bin/uv ] || .venv/bin/python -m pip install --quiet --require-hashes -r requirements/uv.txt
# Bytecode is compiled here, because a machine may forbid Python to write it (PYTHONDONTWRITEBYTECODE). Without it, each
# start of fleethands takes twice the time.
.venv/bin/uv pip sync --quiet --compile-bytecode --python .venv/bin/python --require-hashes requirements/dev.txt
.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e .
.venv/bin/python -m compileall -q fleethands
touch .venv/ready

"""The root file system that all images share, and a chroot in it for what each adds."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from tests.lab import cache, sources
from tests.lab.internet import toolchain
from tests.lab.shell import run

SUITE = "trixie"
PACKAGES = ("ca-certificates", "curl", "passwd", "procps", "python3")
LEFT_OUT = ("man", "doc", "doc-base", "info", "locale", "i18n", "lintian", "linda", "bug", "zsh", "bash-completion")
RECIPE = "1"

# Everything that is mounted goes with the mount namespace, so a build that is killed leaves nothing mounted.
ENTER = r"""
set -eu
mount --make-rprivate /
root=$1 work=$2 uv=$3 bundle=$4 script=$5
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=700 tmpfs "$root/root"
mount --bind "$work" "$root/opt"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
: >"$root/tmp/uv" >"$root/tmp/ca.pem" >"$root/tmp/build"
mount --bind "$uv" "$root/tmp/uv"
mount --bind "$bundle" "$root/tmp/ca.pem"
mount --bind "$script" "$root/tmp/build"
mount --bind /etc/resolv.conf "$root/etc/resolv.conf"
mount --bind /etc/hosts "$root/etc/hosts"
exec chroot "$root" /bin/sh -eu /tmp/build
"""


def key() -> str:
    """Key of what the base is made from."""
    return cache.key(SUITE, *PACKAGES, *LEFT_OUT, RECIPE)


def base() -> Path:
    """The root file system (a directory), made by mmdebstrap when missing."""
    return cache.made(f"image-base-{key()}", _make) / "root"


def build(script: str, work: Path, timeout: float) -> None:
    """
    Run a shell script in the base, where `work` is /opt and all that stays; uv is /tmp/uv.

    The machine's name server and CA bundle are there for the time of the build only, as is the network.
    """
    work.mkdir(parents=True, exist_ok=True)
    file = work.with_name(work.name + ".build")
    file.write_text(script)
    log = work.with_name(work.name + ".log")
    words = (ENTER, "enter", base(), work, toolchain.uv(), _bundle(), file)
    run(*toolchain.CONTAINED, "sh", "-c", *words, timeout=timeout, env=_environment(), log=log)


def _make(place: Path) -> None:
    excluded = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in LEFT_OUT]
    include = f"--include={','.join(PACKAGES)}"
    command = (
        *toolchain.CONTAINED,
        "mmdebstrap",
        "--quiet",
        "--variant=minbase",
        "--mode=root",
        *excluded,
        include,
        SUITE,
    )
    run(*command, place / "root", *sources.debian(SUITE), timeout=900)
    for mounted_on in ("resolv.conf", "hosts"):
        (place / "root/etc" / mounted_on).write_text("")
    (place / "root/etc/hostname").unlink(missing_ok=True)


def _bundle() -> str:
    found = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    return found or "/etc/ssl/certs/ca-certificates.crt"


def _environment() -> dict[str, str]:
    bundle = "/tmp/ca.pem"
    return {
        "HOME": "/root",
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "SSL_CERT_FILE": bundle,
        "REQUESTS_CA_BUNDLE": bundle,
        "NODE_EXTRA_CA_CERTS": bundle,
        "UV_NATIVE_TLS": "1",
        "UV_LINK_MODE": "copy",
        "UV_CACHE_DIR": "/tmp/uv-cache",
        "UV_PYTHON_DOWNLOADS": "never",
    }

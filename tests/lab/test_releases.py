"""Ollama's releases on real hosts: mirrors, both archive formats, variants, and what can go wrong.

The mirror is a directory of the host, by file://. Its archives are test material: the lab's own Ollama, with dummy
files in the place of the GPU libraries.
"""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from tests.lab import fleet, observe
from tests.lab.host import Host
from tests.lab.internet import release
from tests.lab.lab import Lab
from tests.lab.shell import run as here

MIRROR = "/srv/mirror"
STEP = "Ollama | Install the pinned release"


def apply(*hosts: str, **data: Any) -> fleet.Run:
    return fleet.apply(*(hosts or ("lab-1",)), openhands_flavor="off", **data)


def serve(host: Host, version: str, ending: str, patch: str = "") -> None:
    """
    Put the current release on the host's own mirror as `version`, with an archive for ROCm.

    + patch: for sed, what of the binary is another one
    """
    pack = "zstd -q -1 -o" if ending == "tar.zst" else "sh -c 'gzip -1 >$0'"
    host.run(
        f"""set -e; place={MIRROR}/v{version}; tree=$(mktemp -d); mkdir -p $place $tree/lib/ollama
        cp -r /opt/ollama/current/bin $tree; LC_ALL=C sed -i '{patch}' $tree/bin/ollama
        cp -r /opt/ollama/current/lib $tree
        for part in cuda_v12 cuda_v13 vulkan; do
          mkdir $tree/lib/ollama/$part; date >$tree/lib/ollama/$part/lib.so
        done
        tar -cf - -C $tree bin lib | {pack} $place/ollama-linux-amd64.{ending}
        rm -rf $tree/bin $tree/lib/ollama/*; mkdir $tree/lib/ollama/rocm_v7; date >$tree/lib/ollama/rocm_v7/lib.so
        tar -cf - -C $tree lib | {pack} $place/ollama-linux-amd64-rocm.{ending}
        rm -r $tree; cd $place; sha256sum ./*.{ending} >sha256sum.txt""",
        timeout=120,
    )


def libraries(host: Host, version: str) -> set[str]:
    """Directories of the unpacked release's libraries."""
    return set(
        host.run(f"cd /opt/ollama/{version}/lib/ollama && ls -d */", check=False).stdout.replace("/", "").split()
    )


@pytest.mark.soak
def test_each_variant_unpacks_what_its_hardware_needs(serving: Host) -> None:
    serve(serving, "0.24.0", "tar.zst")
    gpu = {"cuda_v12", "cuda_v13", "vulkan"}

    data: dict[str, Any] = {"ollama_url": f"file://{MIRROR}"}
    for variant, wanted in (("rocm", {*gpu, "rocm_v7"}), ("cpu", set())):
        data["ollama_variant"] = variant
        run = apply(**data)

        assert run.code == 0, run.said
        assert STEP in run.changed("lab-1")
        assert libraries(serving, "0.24.0") == wanted
        assert serving.run("cat /opt/ollama/0.24.0/.fleethands").stdout.split()[3:] == [variant]
        assert serving.run("find /opt/ollama ! -uid 0 -o ! -gid 0").stdout == ""
        assert observe.proven(serving, observe.OLLAMA_LINKS)
        assert apply(**data).changed("lab-1") == []
    assert observe.leftovers(serving) == []


@pytest.mark.soak
def test_a_release_from_before_zstd_is_unpacked_and_its_binary_must_say_its_version(serving: Host) -> None:
    before = observe.process(serving)
    serve(serving, "0.13.5", "tgz")

    run = apply(ollama_url=f"file://{MIRROR}", ollama_version="0.13.5")

    assert run.code == 1
    assert "error: the binary in ollama-linux-amd64.tgz is not Ollama 0.13.5: it says `" in run.said
    assert observe.process(serving) == before
    assert serving.run("ls -A /opt/ollama").stdout.split() == ["0.24.0", "current"]
    assert apply().code == 0
    assert observe.process(serving) == before

    serve(serving, "0.13.5", "tgz", patch="s/0[.]24[.]0/0.13.5/g")  # the same code, which says that it is this old
    old: dict[str, Any] = {"ollama_url": f"file://{MIRROR}", "ollama_version": "0.13.5"}
    run = apply(**old)

    assert run.code == 0, run.said
    assert serving.run("curl -fsS localhost:11434/api/version").stdout == '{"version":"0.13.5"}'
    assert observe.proven(serving, observe.OLLAMA_LINKS)
    assert apply(**old).changed("lab-1") == []


def test_too_little_space_is_named_with_both_numbers_before_anything_is_fetched(serving: Host) -> None:
    serve(serving, "0.24.1", "tar.zst")
    before = observe.process(serving)
    held = serving.run(f"stat -c %s {PurePosixPath(MIRROR) / 'v0.24.1/ollama-linux-amd64.tar.zst'}").stdout
    needed = int(held) // 1048576 * 35 // 10
    used = int(serving.run("du -sm /opt/ollama").stdout.split()[0])

    with serving.out_of_disk("/opt/ollama", f"{used + needed // 2}m"):
        run = apply(ollama_url=f"file://{MIRROR}", ollama_version="0.24.1")
        left = serving.run("ls -A /opt/ollama").stdout.split()

    assert run.code == 1
    assert "error: /opt has " in run.said, run.said
    assert f" MiB free, {needed} MiB are needed for ollama-linux-amd64.tar.zst" in run.said
    assert left == ["0.24.0", "current"]
    assert observe.process(serving) == before
    assert apply().code == 0  # proves again: a failed step invalidates the proof
    assert apply().changed("lab-1") == []


@pytest.mark.soak
def test_the_controller_fetches_once_for_hosts_that_have_no_way_out(
    lab: Lab, quiet_state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = tmp_path / "mirror"
    shutil.copytree(release.tree() / "v0.24.1", mirror / "v0.24.1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    data: dict[str, Any] = {
        "ollama_version": "0.24.1",
        "ollama_url": f"file://{mirror}",
        "ollama_transfer": "controller",
    }
    hosts = [lab[name] for name in ("lab-1", "lab-2")]
    for host in hosts:
        host.restore(quiet_state)  # a file of the controller's is one that no host can reach
    run = apply("lab-1", "lab-2", **data)

    assert run.code == 0, run.said
    cached = [path.name for path in (tmp_path / "cache/fleethands/releases").iterdir() if path.suffix != ".lock"]
    assert len(cached) == 1
    for host in hosts:
        assert host.run("curl -fsS localhost:11434/api/version").stdout == '{"version":"0.24.1"}'
        assert observe.leftovers(host) == []

    shutil.rmtree(mirror)  # nothing is fetched again, and nothing changed

    assert [apply("lab-1", "lab-2", **data).changed(host.name) for host in hosts] == [[], []]


PADDING = 150 << 20  # bytes that no compression makes smaller: an upload that takes its time


def padded_mirror(place: Path) -> str:
    """A mirror on the controller whose 0.24.1 is as large as upstream's; its URL."""
    home, tree = place / "v0.24.1", place / "tree"
    home.mkdir(parents=True)
    tree.mkdir()
    here("tar", "-xf", release.tree() / "v0.24.1" / release.archive_name(), "-C", tree)
    (tree / "lib/ollama").mkdir(parents=True, exist_ok=True)
    here("sh", "-c", f"head -c {PADDING} /dev/urandom > lib/ollama/padding", cwd=tree)
    here("sh", "-c", f"tar -cf - bin lib | zstd -q -1 -o {home}/{release.archive_name()}", cwd=tree)
    here("sh", "-c", f"sha256sum ./{release.archive_name()} > sha256sum.txt", cwd=home)
    shutil.rmtree(tree)
    return f"file://{place}"


@pytest.mark.soak
def test_an_upload_that_was_cut_heals_on_a_host_without_zstd_and_without_a_way_out(
    serving: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = padded_mirror(tmp_path / "mirror")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))  # from here on: the lab has its own there
    serving.run("dpkg --purge zstd")
    serving.run("nft add table inet lab; nft add chain inet lab out '{ type filter hook output priority 0; }'")
    serving.run("nft add rule inet lab out tcp dport '{ 80, 443 }' drop")
    data: dict[str, Any] = {"ollama_version": "0.24.1", "ollama_transfer": "controller", "ollama_url": url}
    process = fleet.start("lab-1", **data)
    try:
        serving.run("until [ -e /root/.fleethands-release-ollama-linux-*.tar ]; do sleep 0.02; done", timeout=120)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert serving.run("curl -fsS localhost:11434/api/version").stdout == '{"version":"0.24.0"}'

    run = apply(**data)

    assert run.code == 0, run.said
    assert serving.run("curl -fsS localhost:11434/api/version").stdout == '{"version":"0.24.1"}'
    assert serving.run("ls -A /root | grep fleethands", check=False).stdout == ""
    assert apply(**data).changed("lab-1") == []
    assert observe.leftovers(serving) == []


def test_what_the_controller_cannot_fetch_is_named(serving: Host, tmp_path: Path) -> None:
    before = observe.process(serving)

    run = apply(ollama_version="0.24.1", ollama_url=f"file://{tmp_path}", ollama_transfer="controller")

    assert run.code == 1
    assert f"error: the controller cannot fetch from file://{tmp_path}/v0.24.1: " in run.said
    assert "Traceback" not in run.said
    assert observe.process(serving) == before

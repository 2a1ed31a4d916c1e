"""Ollama's releases on real hosts: mirrors, both archive formats, variants, and what stands in their way.

The mirror is a directory of the host, by file://. Its archives are test material: the lab's own Ollama, packed anew
with files in the place of the GPU libraries.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from tests.lab import fleet, observe
from tests.lab.host import Host

MIRROR = "/srv/mirror"
STEP = "Ollama | Install the pinned release"


def serve(host: Host, version: str, ending: str) -> None:
    """Put the current release on the host's own mirror as `version`, with an archive of ROCm's beside it."""
    pack = "zstd -q -1 -o" if ending == "tar.zst" else "sh -c 'gzip -1 >$0'"
    host.run(
        f"""set -e; place={MIRROR}/v{version}; tree=$(mktemp -d); mkdir -p $place $tree/lib/ollama
        cp -r /opt/ollama/current/bin $tree
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


def test_each_variant_unpacks_what_its_hardware_needs(converged: Host) -> None:
    serve(converged, "0.24.0", "tar.zst")
    gpu = {"cuda_v12", "cuda_v13", "vulkan"}

    for variant, wanted in (("rocm", {*gpu, "rocm_v7"}), ("cpu", set())):
        data = {"ollama_url": f"file://{MIRROR}", "ollama_variant": variant}
        run = fleet.apply("lab-1", **data)

        assert run.code == 0, run.said
        assert STEP in run.changed("lab-1")
        assert libraries(converged, "0.24.0") == wanted
        assert converged.run("cat /opt/ollama/0.24.0/.fleethands").stdout.split()[3:] == [variant]
        assert converged.run("find /opt/ollama ! -uid 0 -o ! -gid 0").stdout == ""
        assert observe.proven(converged)
        assert fleet.apply("lab-1", **data).changed("lab-1") == []
    assert observe.leftovers(converged) == []


def test_a_release_from_before_zstd_is_unpacked_and_its_binary_must_say_its_version(converged: Host) -> None:
    before = observe.identity(converged)
    serve(converged, "0.13.5", "tgz")

    run = fleet.apply("lab-1", ollama_url=f"file://{MIRROR}", ollama_version="0.13.5")

    assert run.code == 1
    assert "error: the binary in ollama-linux-amd64.tgz is not Ollama 0.13.5: it says `" in run.said
    assert observe.identity(converged) == before
    assert converged.run("ls -A /opt/ollama").stdout.split() == ["0.24.0", "current"]
    assert fleet.apply("lab-1").code == 0
    assert observe.identity(converged) == before


def test_too_little_space_is_named_with_both_numbers_before_anything_is_fetched(converged: Host) -> None:
    serve(converged, "0.24.1", "tar.zst")
    before = observe.identity(converged)
    held = converged.run(f"stat -c %s {PurePosixPath(MIRROR) / 'v0.24.1/ollama-linux-amd64.tar.zst'}").stdout
    needed = int(held) // 1048576 * 35 // 10

    with converged.out_of_disk("/opt/ollama", "100m"):
        run = fleet.apply("lab-1", ollama_url=f"file://{MIRROR}", ollama_version="0.24.1")
        left = converged.run("ls -A /opt/ollama").stdout.split()

    assert run.code == 1
    assert "error: /opt has " in run.said
    assert f" MiB free, {needed} MiB are needed for ollama-linux-amd64.tar.zst" in run.said
    assert left == ["0.24.0", "current"]
    assert observe.identity(converged) == before
    assert fleet.apply("lab-1").changed("lab-1") == []

"""A GPU that should carry the model, on hosts that have none: the real link, the real answer."""

from __future__ import annotations

from fleethands.operations.core import proof_record
from fleethands.operations.proof import proof
from tests.hosts import bare, declared
from tests.lab.host import Host


def test_a_model_in_main_memory_breaks_the_link_with_its_cause(serving: Host) -> None:
    settings = declared(openhands_flavor="off").model_copy(update={"gpu": True})
    change = proof.prove.decide(settings, bare(settings))

    done = serving.run("sh -s", stdin=change.script.text.encode(), check=False, timeout=120)

    broken = [link for link in proof_record.parse_links(done.stdout.encode()) if not link.ok]
    assert [link.name for link in broken] == ["gpu-carries-model"]
    assert broken[0].detail == (
        "codellama:7b is in main memory: the host has no GPU device node (/dev/nvidia0, /dev/kfd)"
    )
    assert done.returncode == 1

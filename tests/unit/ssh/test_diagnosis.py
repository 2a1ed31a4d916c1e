"""The messages about a host that can't be reached."""

from __future__ import annotations

import pytest

from fleethands.ssh.diagnosis import explain_error


@pytest.mark.parametrize(
    ("error", "keyword", "spoken"),
    [
        ("Incompatible ssh server (no acceptable ciphers)", "Ciphers", "aes256-ctr"),
        ("Incompatible ssh peer (no acceptable kex algorithm)", "KexAlgorithms", "curve25519-sha256@libssh.org"),
        ("Incompatible ssh server (no acceptable macs)", "MACs", "hmac-sha2-256"),
    ],
)
def test_a_server_without_an_algorithm_of_ours_is_told_which_ones_there_are(
    error: str, keyword: str, spoken: str
) -> None:
    reason, hints = explain_error("gpu-1", "10.0.0.1", "ssh -v gpu-1", f"SSH error ({error})")

    assert keyword in reason
    assert spoken in hints[0]

"""A real sshd that shows a certificate with its key: a plan takes it as `ssh` itself does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab import fleet
from tests.lab.host import Host
from tests.lab.shell import run


@pytest.mark.soak
def test_certificates_of_hosts_count_as_they_do_for_ssh(clean: Host, tmp_path: Path) -> None:
    """The host shows one with its key of one type; of each known_hosts file `ssh` itself says what is right."""
    for name in ("ours", "others"):
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(tmp_path / name))
    authority, others = (" ".join((tmp_path / f"{name}.pub").read_text().split()[:2]) for name in ("ours", "others"))
    plain = " ".join(clean.run("cat /etc/ssh/ssh_host_ed25519_key.pub").stdout.split()[:2])
    (tmp_path / "host.pub").write_text(plain)
    sign = ("ssh-keygen", "-q", "-s", str(tmp_path / "ours"), "-I", "lab", "-h", "-n", clean.address, "-V")
    address = clean.address

    for valid, port in (("+1d", 22), ("+1d", 2222), ("20200101000000Z:20200102000000Z", 22)):
        run(*sign, valid, str(tmp_path / "host.pub"))
        certificate = (tmp_path / "host-cert.pub").read_text()
        clean.run("cat > /etc/ssh/ssh_host_ed25519_key-cert.pub", stdin=certificate)
        settings = f"HostCertificate /etc/ssh/ssh_host_ed25519_key-cert.pub\nPort 22\nPort {port}\n"
        clean.run("uniq > /etc/ssh/sshd_config.d/lab.conf", stdin=settings)
        clean.run("systemctl restart ssh; until ss -Hltn 'sport = :22' | grep -q .; do sleep 0.02; done", timeout=10)
        for lines in (
            f"@cert-authority * {authority}",
            f"@cert-authority {address} {authority}",
            f"@cert-authority [{address}]:2222 {authority}",
            f"@cert-authority * {others}",
            f"@cert-authority * {authority}\n{address} {others}",
            f"@cert-authority * {authority}\n{address} {plain}",
            f"@cert-authority * {authority}\n@revoked * {authority}",
            f"@cert-authority * {authority}\n@revoked * {plain}",
            f"{address} {plain}",
            f"[{address}]:2222 {plain}",
        ):
            known_hosts = tmp_path / "known_hosts"
            known_hosts.write_text(f"{lines}\n")
            assert gets_in(known_hosts, port) == ssh_gets_in(known_hosts, address, port), (valid, port, lines)


def gets_in(known_hosts: Path, port: int) -> bool:
    """Whether a plan takes the host for the one that is known."""
    code, document = fleet.fleethands("plan", ssh_known_hosts_file=str(known_hosts), ssh_port=port)
    told = document["hosts"]["lab-1"]
    assert told["status"] in {"pending", "unreachable"}, fleet.trouble(document)
    assert told["status"] == "pending" or "its host key " in told["reason"], told
    return code == 2


def ssh_gets_in(known_hosts: Path, address: str, port: int) -> bool:
    """Whether OpenSSH's own client does; that it then lets the user in is another matter."""
    options = {"UserKnownHostsFile": known_hosts, "GlobalKnownHostsFile": "/dev/null", "StrictHostKeyChecking": "yes"}
    words = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
    done = run("ssh", *words, "-o", "BatchMode=yes", "-p", str(port), f"root@{address}", "true", check=False)
    assert done.returncode == 0 or "Host key verification failed" in done.stderr or "Permission denied" in done.stderr
    return "Host key verification failed" not in done.stderr

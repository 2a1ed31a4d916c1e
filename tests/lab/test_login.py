"""A real sshd and a real sudo that let a user in and do not run what they are sent: their words, and what mends it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab import fleet
from tests.lab.host import Host
from tests.lab.shell import run

SENT = 'Please login as the user "admin" rather than the user "root".'


def user(host: Host, name: str, shell: str = "/bin/bash") -> None:
    """A user whom the controller's key lets in."""
    host.run(f"useradd -m -s {shell} {name} && cp -r /root/.ssh /home/{name}/ && chown -R {name}: /home/{name}/.ssh")


def refused(name: str) -> tuple[str, list[str]]:
    """Reason and hints of a plan for this user."""
    code, document = fleet.fleethands("plan", ssh_user=name)
    host = document["hosts"]["lab-1"]
    assert (code, host["status"]) == (1, "refused"), fleet.trouble(document)
    return host["reason"], host["hints"]


def is_root(name: str) -> bool:
    """Whether a plan for this user comes to its end."""
    code, document = fleet.fleethands("plan", ssh_user=name)
    return code in {0, 2} and document["hosts"]["lab-1"]["status"] in {"pending", "unchanged"}


def as_typed(hint: str) -> str:
    return hint.removeprefix("on the host, as root: ")


def test_a_forced_command_and_a_terminal_for_sudo_are_told_in_their_words(clean: Host) -> None:
    user(clean, "cloud")
    forced = "command=\"echo '{}';echo;sleep 1;exit 142\" ".format(SENT.replace('"', '\\"'))
    keys = "/home/cloud/.ssh/authorized_keys"
    clean.run(f"{{ cat; cat {keys}; }} > /root/keys && cat /root/keys > {keys}", stdin=forced)

    reason, hints = refused("cloud")
    assert reason == f"it does not run what it is sent, and says: {SENT}"
    assert hints == ['`"ssh_user": "admin"` in the inventory, or `--data ssh_user=admin`']
    assert is_root("admin")

    user(clean, "deploy")
    before = "Defaults:deploy requiretty\ndeploy ALL=(ALL) NOPASSWD: ALL\n"
    clean.run("umask 337; cat > /etc/sudoers.d/deploy", stdin=before)
    reason, hints = refused("deploy")
    assert reason == "deploy is not root, and sudo refuses: sudo: sorry, you must have a tty to run sudo"
    clean.run(as_typed(hints[0]))
    assert is_root("deploy")
    assert clean.run("cat /etc/sudoers.d/deploy").stdout == before
    clean.run("visudo -c")


@pytest.mark.soak
def test_other_ways_to_be_let_in_in_vain(clean: Host) -> None:
    user(clean, "old")
    user(clean, "nobodys", "/usr/sbin/nologin")
    clean.run("chage -d 0 old")

    reason, _ = refused("old")
    assert reason.startswith("it does not run what it is sent, and says: ")
    assert "Password change required but no TTY available." in reason
    reason, hints = refused("nobodys")
    assert reason == "it does not run what it is sent, and says: This account is currently not available."
    assert hints[0].startswith('`"ssh_user": "NAME"` in the inventory')

    reason, hints = refused("plain")
    assert reason == "plain is not root and has no passwordless sudo: sudo: a password is required"
    clean.run(as_typed(hints[0]))
    assert is_root("plain")

    clean.run("chage -d 0 plain; cp -a /usr/bin/sudo /root/")
    reason, hints = refused("plain")
    assert "assword" in reason
    clean.run('chage -d "$(date +%F)" plain && rm /usr/bin/sudo')
    reason, hints = refused("plain")
    assert (reason, hints) == (
        "plain is not root, and sudo is not installed",
        ["on the host, as root: apt-get install sudo"],
    )
    clean.run("cp -a /root/sudo /usr/bin/sudo")
    assert is_root("plain")


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
    assert told["status"] == "pending" or "its host key is " in told["reason"], told
    return code == 2


def ssh_gets_in(known_hosts: Path, address: str, port: int) -> bool:
    """Whether OpenSSH's own client does; that it then lets the user in is another matter."""
    options = {"UserKnownHostsFile": known_hosts, "GlobalKnownHostsFile": "/dev/null", "StrictHostKeyChecking": "yes"}
    words = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
    done = run("ssh", *words, "-o", "BatchMode=yes", "-p", str(port), f"root@{address}", "true", check=False)
    assert done.returncode == 0 or "Host key verification failed" in done.stderr or "Permission denied" in done.stderr
    return "Host key verification failed" not in done.stderr

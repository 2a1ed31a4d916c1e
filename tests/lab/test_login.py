"""A real sshd and a real sudo that let a user in and do not run what they are sent: their words, and what mends it."""

from __future__ import annotations

import pytest

from tests.lab import fleet
from tests.lab.host import Host

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

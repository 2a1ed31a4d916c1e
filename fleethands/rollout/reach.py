"""Why a host could not be reached, in words, and what to type next."""

from __future__ import annotations


def diagnosis(words: str, host: str, address: str, error: str) -> tuple[str, list[str]]:
    """
    Reason and hints for what pyinfra's connectors say (pyinfra 3.10, connectors/ssh.py).

    + words: target and options, as the next command takes them
    + address: what SSH was asked to reach, where it differs from the host's name
    """
    error = " ".join(error.split())
    text = error.lower()
    if host.startswith("@"):
        return error, []
    trust, by_hand = f"fleethands trust {words}", f"try by hand: `ssh -v {address}`"
    known: dict[str, tuple[str, str]] = {
        "no host key for": ("its host key is not known here", f"compare and accept it: `{trust}`"),
        "does not match": (
            "its host key is not the one that is known: it was reinstalled, or somebody stands between",
            f"only if you know why: `ssh-keygen -R {address}`, then `{trust}`",
        ),
        "authentication": (f"login refused: {error}", by_hand),
        "could not resolve": (
            f"its name is not known: {address}",
            "correct the name in the inventory, or give `ssh_hostname`",
        ),
        "unable to connect": (f"no SSH server answers at {address}", f"is it up? `ssh -v {address}`"),
        "timed out": (f"no answer from {address}", f"is it up, and port 22 open to you? `ssh -v {address}`"),
    }
    reason, hint = next((words for mark, words in known.items() if mark in text), (error, by_hand))
    return reason, [hint]

"""The clients of the gateway and their tokens."""

from __future__ import annotations

import re
from dataclasses import replace

from fleethands import paths
from fleethands.facts import Probe
from fleethands.operations.core.decision import Change, Decision, Refused
from fleethands.operations.core.operation import operation
from fleethands.operations.gateway.certificate import MODE, OWNER
from fleethands.operations.system import system
from fleethands.settings import HostSettings
from fleethands.settings.gateway import only_watchers

CLIENT = re.compile(r'^"[^"]*" ([a-z0-9_-]{1,32});$', re.MULTILINE | re.ASCII)
MOST = 20  # names in a plan


@operation
def write_tokens(settings: HostSettings, probe: Probe) -> Decision:
    """Write the file from which nginx reads the token of each client."""
    try:
        revealed = {name: secret.reveal() for name, secret in settings.gateway_tokens.items()}
    except ValueError as error:
        return Refused(f"`gateway_tokens`: {error}", ("on this machine: fleethands check",))
    # the proof uses the first token, so those that only watch come last
    tokens = {name: revealed[name] for name in sorted(revealed, key=only_watchers(settings).__contains__)}
    # plain keys of nginx's map would ignore the case (ngx_http_map_module)
    text = "".join(f'"~^Bearer {token}$" {name};\n' for name, token in tokens.items())
    decision: Decision = system.write_file.decide(
        settings, probe, path=paths.GATEWAY_TOKENS, content=text, mode=MODE, owner=OWNER
    )
    if not isinstance(decision, Change):
        return decision
    present = CLIENT.findall((probe.files[paths.GATEWAY_TOKENS].content or b"").decode(errors="replace"))
    return replace(
        decision, subject="clients of the gateway", before=join_names(present), after=join_names([*tokens]), diff="",
        why="a token differs" if present == [*tokens] else "",
    )  # fmt: skip


def join_names(names: list[str]) -> str:
    """Names in a plan: the first, and how many more."""
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + more or "none"

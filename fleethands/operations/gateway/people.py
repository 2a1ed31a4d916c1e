"""The people who may log in to OpenHands' page on the gateway."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import ABSENT, File
from fleethands.operations.core.decision import Change, Decision, Place, Refused, Unchanged
from fleethands.operations.core.host_script import HostScript
from fleethands.operations.core.operation import operation
from fleethands.operations.gateway.certificate import MODE, OWNER
from fleethands.operations.gateway.tokens import join_names
from fleethands.settings import HostSettings
from fleethands.settings.openhands import has_sandboxes

# nginx computes the hash of each password that is sent, and its worker serves no other request meanwhile: 53 ms at this
# cost on a slow server of 2026 (14 ms at 8). A browser sends its password once and then has a session, so what
# counts is how many guesses the gateway tries: gateway.page.conf.j2 limits them
COST = 10
PERSON = re.compile(rf"([a-z][a-z0-9_-]{{0,31}}):(\$2b\${COST}\$[./A-Za-z0-9]{{53}})", re.ASCII)
SESSION = re.compile(r'"~\^\\\|\[0-9\]\+\\\|([a-z][a-z0-9_-]{0,31})\$" ([A-Za-z0-9_-]{43});', re.ASCII)
COOKIE = "__Host-fleethands"  # a prefix that no other host of the domain can set (RFC 6265bis, 4.1.3.2)
# whose session a request has; and which session a login begins: only behind an answer of OpenHands, which nginx asks
# after it has checked the password, and only without a session, because then nginx checks no password
MAPS = """# Written by fleethands: a login begins the session of its person, and a new password another one.
map $http_cookie $page_person {{
	default "";
{people}}}
map "$page_person|$upstream_status|$remote_user" $page_session {{
	default "";
{sessions}}}
"""
# openhands/app_server/sandbox/docker_sandbox_service.py, 1.11.0: one URL pattern for the browser and for the app, which
# would have to log in
NOTE_OF_V1 = (
    "V1's page shows no running conversation through the gateway, because the browser asks the sandbox at "
    "http://localhost:PORT; to work in one: fleethands tunnel HOST"
)
FILES = (paths.GATEWAY_PEOPLE, paths.GATEWAY_SESSIONS)


@dataclass(frozen=True)
class WritePeople(HostScript, file="write_people"):
    """
    Writes the hashes of passwords, and the session that a login begins; nothing to write: removes both files.

    + people, sessions: the texts; people_path, sessions_path: their files; owner: `user:group`
    """

    people: str
    sessions: str
    people_path: str = paths.GATEWAY_PEOPLE
    sessions_path: str = paths.GATEWAY_SESSIONS
    owner: str = OWNER


@operation
def write_people(settings: HostSettings, probe: Probe) -> Decision:
    """
    Write who may log in. A hash that fits its password stays, and so does the session of that person.

    Each hash has a salt of its own, so a new one would be another text for the same password.
    """
    present = _present(probe)
    try:
        declared = {name: secret.reveal() for name, secret in settings.gateway_people.items()}
    except ValueError as error:
        return Refused(f"`gateway_people`: {error}", ("on this machine: fleethands check",))
    wanted = {} if settings.gateway_page is None else _wanted(declared, present)
    texts, notes = _texts(wanted), (NOTE_OF_V1,) if settings.gateway_page and has_sandboxes(settings) else ()
    if all(_is_as(probe, path, text) for path, text in zip(FILES, texts, strict=True)):
        return Unchanged(f"{join_names([*wanted])} may log in to OpenHands' page", notes)

    def predict(probe: Probe) -> Probe:
        for path, text in zip(FILES, texts, strict=True):
            probe = probe.with_file(path, File("file", MODE, owner=OWNER, content=text.encode()) if text else ABSENT)
        return probe

    return Change(
        "people of OpenHands' page",
        join_names([*present]),
        join_names([*wanted]),
        WritePeople(*texts).script,
        predict,
        why="a password or a file differs" if [*present] == [*wanted] else "",
        notes=notes,
        place=Place.WITHIN,
    )


def _wanted(declared: Mapping[str, str], present: Mapping[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """The hash and the session of each person."""
    found = {}
    for name, password in declared.items():
        known = present.get(name)
        kept = known is not None and known[1] and _fits(known[0], password)
        found[name] = known if known and kept else (_hash(name, password), secrets.token_urlsafe(32))
    return found


def _present(probe: Probe) -> dict[str, tuple[str, str]]:
    """What the host has: root there may have written anything, so only what has the form of our own counts."""
    people, sessions = ((probe.files[path].content or b"").decode(errors="replace") for path in FILES)
    known = dict(SESSION.findall(sessions))
    rows = (PERSON.fullmatch(line) for line in people.splitlines())
    return {row[1]: (row[2], known.get(row[1], "")) for row in rows if row}


def _texts(people: Mapping[str, tuple[str, str]]) -> tuple[str, str]:
    """The texts of the two files; empty without people."""
    if not people:
        return "", ""
    hashes = "".join(f"{name}:{hashed}\n" for name, (hashed, _) in people.items())
    cookies = "".join(f'\t"~(^|; ?){COOKIE}={token}(;|$)" {name};\n' for name, (_, token) in people.items())
    sessions = "".join(f'\t"~^\\|[0-9]+\\|{name}$" {token};\n' for name, (_, token) in people.items())
    return hashes, MAPS.format(people=cookies, sessions=sessions)


def _is_as(probe: Probe, path: str, text: str) -> bool:
    state = probe.files[path]
    if not text:
        return state.kind == "absent"
    return (state.kind, state.content, state.mode, state.owner) == ("file", text.encode(), MODE, OWNER)


@lru_cache(maxsize=1024)
def _hash(name: str, password: str) -> str:
    """The same for all hosts of a run, so that a fleet costs as much as one host."""
    import bcrypt  # noqa: PLC0415  only a page with people needs it

    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(COST)).decode()


@lru_cache(maxsize=4096)
def _fits(hashed: str, password: str) -> bool:
    import bcrypt  # noqa: PLC0415

    try:
        return bcrypt.checkpw(password.encode(), hashed.encode())
    except ValueError:  # a salt that bcrypt would not write
        return False

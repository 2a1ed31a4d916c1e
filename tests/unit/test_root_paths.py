"""Root writes, reads and removes nothing by path in a directory that is not root's: owned.sh has what does it."""

from __future__ import annotations

import pytest

from fleethands.operations.core import scripts
from tests.helpers.host_scripts import parts_of
from tests.helpers.root_paths import offences

BUILDS = ("source_build", "source_builder")  # they write in a directory that only root may write
# commands that are allowed, each with its reason
ALLOWED = {
    'mv --backup=numbered -T "$path" "$kept"': "what systemd starts, or the command of a root's shell: adopt.sh",
    'cp -a --backup=numbered -T "$path" "$kept"': "the same",
    '! cmp -s "$path" "$kept"': "the same",
    'mkdir -p "$(dirname "$kept")"': "kept in /opt/ollama",
    'mkdir -p "$(dirname "$what")"': "from /opt/ollama, where adopt.sh found it: serve.sh",
    'cp -a --remove-destination -T "/opt/ollama/adopted$what" "$what"': "the same",
    'read -r was_sha256 was_size was_mtime was_variant <"$home/.fleethands"': "a release in /opt/ollama: release.sh",
    'mv -T "$home" "$work/before"': "the same",
    "setpriv --bounding-set=-mknod,-setfcap --inh-caps=-mknod,-setfcap "
    'tar -xf - -C "$work/tree" --no-same-owner --no-same-permissions "$@"': "the same",
    'mv -T "$work/tree" "$home"': "the same",
    'cat "$1"': "what the registry sent: blobs.sh",
    "! runuser -u ollama -- test -w /dev/kfd": "the groups of the user are what is tried",
}


def step(name: str) -> str:
    """A step with what it calls of others."""
    called = ("common", "spelled", "blobs") if name in {"verify", "puller"} else ("common",)
    parts = [each for each in (*called, *parts_of(name)) if each != name]
    return "\n".join(scripts.read(each) for each in (*parts, name))


@pytest.mark.parametrize("name", [each for each in scripts.names() if each not in (*BUILDS, "owned")])
def test_a_step_leaves_foreign_directories_to_their_owners(name: str) -> None:
    assert [each for each in offences(step(name)) if each not in ALLOWED] == []


@pytest.mark.parametrize(
    "line",
    [
        'chown "$user" "$workspace/notes"',
        'printf %s "$settings" >"$settings_path"',
        'file=$blobs/x blobs=$models_dir/blobs\n[ ! -e "$file" ] || rm -f "$file"',
        'gone() {\n  rm -rf "$2"\n}\ngone now "$talks/$talk"',
        'while read -r place; do\n  chmod 700 "$place"\ndone <<END\n$own\nEND',
        'digest=$(sha256sum <"$manifest")',
        'find "$workspace" -xdev -exec chown -h "$user" {} +',
        'runuser -u "$user" -- test -w /x',
    ],
)
def test_it_is_seen_however_it_is_written(line: str) -> None:
    assert offences(line)


@pytest.mark.parametrize(
    "line",
    [
        'as_owner "$owner" 60 rm -f "$models_dir/blobs/x"',
        'place=$(real_path "$path") || fail x\nchmod 0700 "$place"',
        'echo "see $workspace" >"$record"',
        "case $path in /etc/*) systemctl daemon-reload ;; esac",
    ],
)
def test_what_is_as_it_should_be_is_left_alone(line: str) -> None:
    assert offences(line) == []

"""Shell scripts that run on hosts: values go in quoted, the whole travels on stdin, nothing on a command line."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field, replace
from importlib.resources import files

from pyinfra.api.command import StringCommand

# sudo is asked first, and its words are told behind ours: pyinfra answers its bare complaint with a prompt, which would
# hang a CI job
SHELL = " ".join(
    line.strip()
    for line in files("fleethands").joinpath("become_root.sh").read_text().splitlines()
    if not line.startswith("#")
)
LOGIN_SHELL = f"sh -c {shlex.quote(SHELL)}"  # for a channel, where the login shell may be any
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# a login brings variables (/etc/environment, pam_tmpdir) that lead commands elsewhere: to another engine or directory
LOCAL = """\
unset CDPATH POSIXLY_CORRECT TAR_OPTIONS TEMP TMP TMPDIR
unset DOCKER_API_VERSION DOCKER_CERT_PATH DOCKER_CONTEXT DOCKER_DEFAULT_PLATFORM DOCKER_TLS DOCKER_TLS_VERIFY
DOCKER_HOST=unix:///var/run/docker.sock; export DOCKER_HOST"""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


@dataclass(frozen=True)
class Script:
    """
    A POSIX shell script and the values of its variables.

    + exports: variables of any name, which the script's function `exported` puts into the environment
    + talks: it reads what is said to it on standard input, once it has said something itself
    """

    body: str
    values: dict[str, str] = field(default_factory=dict)
    exports: dict[str, str] = field(default_factory=dict)
    talks: bool = False

    def with_values(self, **values: str) -> Script:
        """The same script with other values."""
        return replace(self, values={**self.values, **values})

    @property
    def text(self) -> str:
        """
        What the host's shell reads. The body is one function, so that half a script does nothing.

        Raises ValueError for a value that a shell variable can't hold.
        """
        lines = ["LC_ALL=C; export LC_ALL; umask 022", f"PATH={PATH}; export PATH", LOCAL]
        lines += [_assign(name, value) for name, value in self.values.items()]
        lines += ["exported() {", ":"]
        lines += [f"{_assign(name, value)}; export {name}" for name, value in self.exports.items()]
        lines += ["}"]
        return "\n".join([*lines, "main() {", self.body, "}", "main" if self.talks else "main </dev/null", ""])

    @property
    def command(self) -> StringCommand:
        """One remote command, as root, by `sudo -n` where the user is another."""
        return StringCommand(SHELL, _stdin=self.text)


def _assign(name: str, value: str) -> str:
    if not _NAME.match(name) or "\0" in value:
        raise ValueError(f"`{name}`: not a value for a shell variable")
    return f"{name}={shlex.quote(value)}"

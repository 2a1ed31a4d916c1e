"""Shell scripts for hosts. Values are quoted, and all of it is sent on standard input, not on a command line."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field, replace
from importlib.resources import files

from pyinfra.api.command import StringCommand

# the script asks sudo first, and prints sudo's message after its own: pyinfra would answer sudo's bare message with a
# prompt, which hangs a CI job
SHELL = " ".join(
    line.strip()
    for line in files("fleethands").joinpath("become_root.sh").read_text().splitlines()
    if not line.startswith("#")
)
LOGIN_SHELL = f"sh -c {shlex.quote(SHELL)}"  # works in any login shell
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# a login sets variables (/etc/environment, pam_tmpdir) that redirect commands to another engine or directory
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
    + talks: it reads standard input while it runs
    """

    body: str
    values: dict[str, str] = field(default_factory=dict)
    exports: dict[str, str] = field(default_factory=dict)
    talks: bool = False

    def with_values(self, **values: str) -> Script:
        """The same script with other or more values."""
        return replace(self, values={**self.values, **values})

    @property
    def text(self) -> str:
        """
        What the shell of the host reads. The body is one function, so a truncated script does nothing.

        Raises ValueError for a value that a shell variable cannot have.
        """
        lines = ["LC_ALL=C; export LC_ALL; umask 022", f"PATH={PATH}; export PATH", LOCAL]
        lines += [_assign(name, value) for name, value in self.values.items()]
        lines += ["exported() {", ":"]
        lines += [f"{_assign(name, value)}; export {name}" for name, value in self.exports.items()]
        lines += ["}"]
        return "\n".join([*lines, "main() {", self.body, "}", "main" if self.talks else "main </dev/null", ""])

    @property
    def command(self) -> StringCommand:
        """One remote command, as root, with `sudo -n` if the SSH user is not root."""
        return StringCommand(SHELL, _stdin=self.text)


def _assign(name: str, value: str) -> str:
    if not _NAME.match(name) or "\0" in value:
        raise ValueError(f"`{name}`: not a value for a shell variable")
    return f"{name}={shlex.quote(value)}"

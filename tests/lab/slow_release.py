"""
A release that answers at half the speed, on the own mirror of a host, and a model whose speed can be measured.

The release is a stand-in: the host's own Ollama under another version, behind a program that stops it for half of the
time. So Ollama's own durations double too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.lab.host import Host
from tests.lab.internet import models, release
from tests.lab.shell import run

MIRROR = "/srv/slow"
VERSION = "0.24.1"
MODEL = "steady:latest"
# the other models of the lab need so little work for a token that its time is chance
WORK: dict[str, Any] = {"EMBEDDING": 256, "FEED_FORWARD": 1024, "BLOCKS": 8, "HEADS": 8}
MODELFILE = 'FROM ./steady.gguf\nTEMPLATE """{{ .Prompt }}"""\nPARAMETER num_thread 1\n'
LABEL = "A stand-in of the fleethands lab: Ollama 0.24.0, stopped for half of the time. Not an upstream release.\n"
HALF_SPEED = r"""
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const struct timespec HALF = {0, 3000000};
static volatile sig_atomic_t asked;
static void remember(int number) { asked = number; }

int main(int count, char **words) {
  char real[PATH_MAX + 32] = {0};
  if (readlink("/proc/self/exe", real, PATH_MAX) < 0) return 1;
  strcpy(strrchr(real, '/'), "/../lib/ollama/ollama");
  if (count < 2 || strcmp(words[1], "serve")) return execv(real, words);
  pid_t server = fork();
  if (server == 0) {
    setpgid(0, 0);
    execv(real, words);
    _exit(127);
  }
  signal(SIGTERM, remember);
  signal(SIGINT, remember);
  int status = 0;
  while (waitpid(server, &status, WNOHANG) == 0) {
    nanosleep(&HALF, NULL);
    kill(-server, SIGSTOP);
    nanosleep(&HALF, NULL);
    kill(-server, SIGCONT);
    if (asked) kill(-server, asked);
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}
"""


def offer(host: Host, work: Path) -> None:
    """Put the release on the host's mirror, `file:///srv/slow`, made of the release that the host has."""
    source, binary = work / "half_speed.c", work / "half_speed"
    source.write_text(HALF_SPEED)
    run("cc", "-O2", "-o", binary, source, timeout=60)
    host.run("cat >/root/half_speed && chmod 0755 /root/half_speed", stdin=binary.read_bytes())
    host.run("cat >/root/LAB.txt", stdin=LABEL)
    host.run(
        f"""set -e; place={MIRROR}/v{VERSION}; tree=$(mktemp -d); mkdir -p $place $tree/bin
        cp -r /opt/ollama/current/lib $tree; cp /root/LAB.txt $tree/lib/ollama/LAB.txt
        LC_ALL=C sed 's/0[.]24[.]0/{VERSION}/g' /opt/ollama/current/bin/ollama >$tree/lib/ollama/ollama
        cp /root/half_speed $tree/bin/ollama; chmod 0755 $tree/bin/ollama $tree/lib/ollama/ollama
        tar -cf - -C $tree bin lib | zstd -q -1 -o $place/{release.archive_name()}
        rm -r $tree /root/half_speed /root/LAB.txt; cd $place; sha256sum ./*.zst >sha256sum.txt""",
        timeout=120,
    )


def make_model(host: Host, work: Path) -> None:
    """Put the model `steady` on a host that serves: random weights that take one thread milliseconds for a token."""
    with patch.multiple(models, **WORK):
        models.write(models.Model("library/steady", "latest", seed=11), work / "steady.gguf")
    host.run("mkdir -p /root/steady && cat >/root/steady/steady.gguf", stdin=(work / "steady.gguf").read_bytes())
    host.run("cat >/root/steady/Modelfile", stdin=MODELFILE)
    host.run("cd /root/steady && ollama create steady -f Modelfile && cd / && rm -r /root/steady", timeout=120)

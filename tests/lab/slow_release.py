"""
A release that answers at half the speed, on the own mirror of a host, and a model whose speed can be measured.

The release is a stand-in: the host's own Ollama under another version, behind a program that passes requests on, and
stops that Ollama for half of the time. So Ollama's own durations double too.
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
#include <arpa/inet.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static pid_t server;

static void finish(int number) {
  kill(-server, SIGCONT);
  kill(-server, number);
  _exit(0);
}

static int endpoint(const char *address, int port, int listening) {
  struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(port)};
  int one = 1, number = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  inet_pton(AF_INET, address, &place.sin_addr);
  setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (listening) return bind(number, (void *)&place, sizeof place) || listen(number, 64) ? -1 : number;
  return connect(number, (void *)&place, sizeof place) ? -1 : number;
}

static void forward(int client, int real) { /* until both have sent all */
  struct pollfd ends[2] = {{client, POLLIN, 0}, {real, POLLIN, 0}};
  char data[65536];
  for (int open = 2; open && poll(ends, 2, -1) > 0;)
    for (int each = 0; each < 2; each++) {
      if (!ends[each].revents) continue;
      ssize_t size = read(ends[each].fd, data, sizeof data);
      if (size <= 0) {
        shutdown(each ? client : real, SHUT_WR);
        ends[each].fd = -1;
        open--;
      }
      for (ssize_t at = 0, sent; at < size; at += sent)
        if ((sent = write(each ? client : real, data + at, size - at)) <= 0) _exit(1);
    }
  _exit(0);
}

int main(int count, char **words) {
  static const struct timespec half = {0, 3000000};
  char program[PATH_MAX + 32] = {0};
  if (readlink("/proc/self/exe", program, PATH_MAX) < 0) return 1;
  strcpy(strrchr(program, '/'), "/../lib/ollama/ollama");
  if (count < 2 || strcmp(words[1], "serve")) return execv(program, words);
  signal(SIGCHLD, SIG_IGN);
  if (!(server = fork())) {
    setpgid(0, 0);
    signal(SIGCHLD, SIG_DFL);
    setenv("OLLAMA_HOST", "127.0.0.1:11499", 1);
    execv(program, words);
    _exit(127);
  }
  setpgid(server, server);
  if (!fork()) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (pid_t parent = getppid();; nanosleep(&half, NULL)) {
      if (kill(-server, SIGSTOP)) kill(parent, SIGTERM);
      nanosleep(&half, NULL);
      kill(-server, SIGCONT);
    }
  }
  signal(SIGTERM, finish);
  signal(SIGINT, finish);
  int listener = endpoint("0.0.0.0", 11434, 1);
  for (int client; listener >= 0 && (client = accept(listener, NULL, NULL)) >= 0; close(client)) {
    int real = endpoint("127.0.0.1", 11499, 0);
    if (real >= 0 && !fork()) {
      close(listener);
      forward(client, real);
    }
    if (real >= 0) close(real);
  }
  finish(SIGTERM);
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

"""
Docker engines that fleethands did not install, as hosts have them.

They are stand-ins, and say so: Debian's engine in packages with the names, versions and conflicts of Docker's own
(docs.docker.com/engine/install/debian).
"""

from __future__ import annotations

import json
import shlex

from tests.lab.host import Host

DOCKER_CE = r"""
set -e
cd "$(mktemp -d)"
apt-get -q update
apt-get -q download docker.io docker-cli containerd runc tini
apt-get -q -y install --no-install-recommends iptables libseccomp2
for package in containerd.io docker-ce docker-ce-cli; do mkdir -p $package/DEBIAN; done
for file in containerd_* runc_* tini_*; do dpkg-deb -x "$file" containerd.io; done
dpkg-deb -x docker.io_*.deb docker-ce
dpkg-deb -x docker-cli_*.deb docker-ce-cli
control() {
  printf 'Package: %s\nVersion: %s\nArchitecture: amd64\nMaintainer: lab <l@lab.invalid>\n%bDescription: stand-in\n' \
    "$1" "$2" "$3" > "$1/DEBIAN/control"
  dpkg-deb -Znone -b "$1" "$1.deb"
}
control containerd.io 1.7.22-1 'Provides: containerd, runc\nConflicts: containerd, runc\nReplaces: containerd, runc\n'
control docker-ce-cli 5:27.3.1-1 'Conflicts: docker-cli, docker.io\n'
control docker-ce 5:27.3.1-1 'Depends: containerd.io, docker-ce-cli, iptables\nConflicts: docker, docker.io\n'
apt-get -q -y install ./containerd.io.deb ./docker-ce-cli.deb ./docker-ce.deb
groupadd -f docker
systemctl daemon-reload
systemctl enable --quiet --now containerd docker
docker version
"""
# Debian's engine by another name: a unit of somebody else's, and no package of an engine
RENAMED = r"""
set -e
systemctl disable --quiet --now docker.service docker.socket
units=/usr/lib/systemd/system
sed 's/^Requires=docker.socket$//; s/ -H fd:\/\///; s/docker.socket//' $units/docker.service >"$units/$unit"
rm $units/docker.service $units/docker.socket
sed -i 's/^Package: docker.io$/Package: engine-of-ours/' /var/lib/dpkg/status
mv /var/lib/dpkg/info/docker.io.list /var/lib/dpkg/info/engine-of-ours.list
systemctl daemon-reload
systemctl start "$unit"
docker version >/dev/null
"""
THEIRS = r"""
set -e
tar -c -h -C / usr/bin/sleep lib64/ld-linux-x86-64.so.2 lib/x86_64-linux-gnu/libc.so.6 |
  docker import --change 'ENTRYPOINT ["/usr/bin/sleep"]' - theirs:1
for name in theirs-1 theirs-2; do docker run --detach --restart always --name $name theirs:1 infinity; done
"""


def docker_ce(host: Host) -> None:
    """Docker's own packages, and two containers of somebody else's. The host reaches the packages of the world."""
    host.run("sh -s", stdin=DOCKER_CE, timeout=300)
    host.run("sh -s", stdin=THEIRS, timeout=60)


def renamed(host: Host, unit: str) -> None:
    """The engine of Debian runs by another unit, which does not start at boot, and its package has another name."""
    host.run("sh -s", stdin=f"unit={unit}\n{RENAMED}", timeout=60)


def configured(host: Host, **settings: object) -> None:
    """Docker starts again, by a daemon.json."""
    host.run(f"mkdir -p /etc/docker; printf %s {shlex.quote(json.dumps(settings))} > /etc/docker/daemon.json")
    host.run("systemctl reset-failed; systemctl restart docker")  # it may start three times a minute


def containers(host: Host) -> str:
    """Somebody else's containers: since when each runs, and how often it was restarted."""
    shown = "{{.Name}} {{.State.StartedAt}} {{.RestartCount}}"
    return host.run(f"docker inspect --format '{shown}' theirs-1 theirs-2").stdout


def packages(host: Host) -> set[str]:
    """What is installed, with its version."""
    listing = host.run("dpkg-query -W -f '${db:Status-Status} ${Package} ${Version}\\n'").stdout
    return {line for line in listing.splitlines() if line.startswith("installed ")}

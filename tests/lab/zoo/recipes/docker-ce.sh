# Docker's own packages: Debian's engine in packages with their names, versions and conflicts
# (docs.docker.com/engine/install/debian). The packages of the world are in reach.
cd "$(mktemp -d)" || exit
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

# Debian's engine by another name: the unit `my-docker`, which does not start at boot, and no package of an engine.
systemctl disable --quiet --now docker.service docker.socket
units=/usr/lib/systemd/system
sed 's/^Requires=docker.socket$//; s/ -H fd:\/\///; s/docker.socket//' $units/docker.service >$units/my-docker.service
rm $units/docker.service $units/docker.socket
sed -i 's/^Package: docker.io$/Package: engine-of-ours/' /var/lib/dpkg/status
mv /var/lib/dpkg/info/docker.io.list /var/lib/dpkg/info/engine-of-ours.list
systemctl daemon-reload
systemctl start my-docker
docker version >/dev/null

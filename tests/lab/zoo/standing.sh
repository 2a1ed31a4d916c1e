# What exists on a host, one item a line: kind, name, and after a tab everything that must stay the same.
# Without times of directories, and without programs that start on request, such as Podman. Docker is not asked if that
# would start it.
dpkg-query -W -f '${db:Status-Status} package ${Package}\t${Version}\n' | sed -n 's/^installed //p'
systemctl show --property Id,ActiveState,ActiveEnterTimestampMonotonic,NRestarts '*.service' '*.socket' |
  awk -F = '
    function tell() { if (active == "active") printf "unit %s\tsince %s, %s restarts\n", id, since, restarts }
    $1 == "" { tell(); id = active = since = restarts = "" }
    $1 == "Id" { id = $2 }
    $1 == "ActiveState" { active = $2 }
    $1 == "ActiveEnterTimestampMonotonic" { since = $2 }
    $1 == "NRestarts" { restarts = $2 }
    END { tell() }' | grep -Ev '^unit (podman\.service|user@|user-runtime-dir@|systemd-|getty@|console-getty)'
if pgrep -x dockerd >/dev/null && PATH=$PATH:/snap/bin command -v docker >/dev/null; then
  PATH=$PATH:/snap/bin
  docker ps --all --quiet --no-trunc |
    xargs -r docker inspect --format 'container {{.Name}}	{{.Id}} {{.State.Status}} since {{.State.StartedAt}}, {{.RestartCount}} restarts'
  docker network ls --format 'network {{.Name}}	{{.ID}}'
  docker volume ls --format 'volume {{.Name}}	'
fi
sed 's/^\([^:]*\):\(.*\)/account \1	\2/' /etc/passwd
# our accounts are members of groups that are there already
sed -E 's/([:,])(ollama|openhands)\b,?/\1/g; s/,$//; s/^([^:]*):(.*)/group \1	\2/' /etc/group
find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /var/log -o -path /var/lib/docker \
  -o -path /var/lib/systemd -o -path /var/lib/containerd -o -path /var/lib/containers -o -path '*/tmp/systemd-private-*' -o -path '/etc/*-' \
  -o -path /etc/passwd -o -path /etc/group -o -path /etc/shadow -o -path /etc/gshadow -o -path /etc/subuid \
  -o -path /etc/subgid -o -path /etc/.pwd.lock \) -prune \
  -o -type f -printf 'file %p\t%m %u:%g %s bytes of %T@\n' \
  -o -type l -printf 'file %p\t-> %l, of %u:%g\n' \
  -o -printf 'file %p\t%y %m %u:%g\n' | sort

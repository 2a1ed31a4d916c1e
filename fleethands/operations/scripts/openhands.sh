# OpenHands as a container or as a service: which of them there is, and what gave way to it.

container_exists() { docker container inspect "$1" >/dev/null 2>&1; }

# container_label NAME LABEL: empty where there is none, or no container
container_label() { docker container inspect --format "{{with index .Config.Labels \"fleethands.$2\"}}{{.}}{{end}}" "$1" 2>/dev/null || true; }

# container_owns DIRECTORY UID:GID LAST: whose it is; what the user of our last container left in it is handed over, and
# nobody else's files
container_owns() {
  now=$(stat -c %u:%g "$1")
  [ "$now" != "$2" ] || return 0
  [ "$now" != "$3" ] || find "$1" -xdev -uid "${now%:*}" -exec chown -h "$2" {} +
  chown "$2" "$1"
}

# OpenHands as a service, where it runs without a container; a unit that gave way is kept until the new one is proven
service_unit=/etc/systemd/system/openhands.service
service_before=/var/lib/fleethands/openhands.service-before
service_environment=/etc/fleethands/openhands.env
service_config=/etc/fleethands/config.toml

# what the unit reads is kept with it; the unit last, as it says that all is kept
service_kept() {
  for each in "$service_environment" "$service_config"; do
    rm -f "$service_before.${each##*.}"
    [ ! -e "$each" ] || cp -p "$each" "$service_before.${each##*.}"
  done
  cp -p "$service_unit" "$service_before"
}

service_back() {
  for each in "$service_environment" "$service_config"; do
    [ ! -e "$service_before.${each##*.}" ] || mv -fT "$service_before.${each##*.}" "$each"
  done
  mv -fT "$service_before" "$service_unit"
}

# of two, the one that is kept already was proven, and the one that runs was not
service_aside() {
  [ -e "$service_unit" ] || return 0
  [ -e "$service_before" ] || service_kept
  service_gone
}

service_gone() {
  [ -e "$service_unit" ] || return 0
  systemctl disable --quiet --now openhands.service
  rm -f "$service_unit"
  systemctl daemon-reload
}

# What was built lies under names of its own, to which links lead: source_root of a unit is one. A link is only put back
# together with its unit.
source_place=/opt/openhands-source
source_root() { [ ! -e "$service_unit" ] || sed -n 's,^ExecStart=\(.*\)/bin/serve .*,\1,p' "$service_unit"; }

source_back() {
  link=$(source_root)
  [ -z "$link" ] || [ ! -L "$link.before" ] || mv -fT "$link.before" "$link"
}

# of a run that was ended half-way
source_half_built() {
  for each in "$source_place"/*.??????; do
    [ -L "$each" ] || [ ! -d "$each" ] || [ -e "$each/.fleethands" ] || rm -rf "$each"
  done
}

# what neither the link of the unit nor the newest other one leads to
source_settled() {
  [ -d "$source_place" ] || return 0
  rm -f "$source_place"/*.before
  now=$(source_root)
  other=''
  for link in "$source_place"/*; do
    [ -L "$link" ] && [ "$link" != "$now" ] || continue
    [ -z "$other" ] || [ "$(stat -c %Y "$link")" -ge "$(stat -c %Y "$other")" ] || { rm -f "$link" && continue; }
    [ -z "$other" ] || rm -f "$other"
    other=$link
  done
  for each in "$source_place"/*.??????; do
    [ ! -L "$each" ] || continue
    case $each in "$(readlink "$now")" | "$(readlink "$other")") ;; *) rm -rf "$each" ;; esac
  done
}

# openhands_back NAME: what was OpenHands before this serves again, a container of that name or a service; no status if
# there is none
openhands_back() {
  if container_exists "$1-before"; then
    place=$(container_label "$1-before" workspace) owners=$(container_label "$1-before" users) last=$(container_label "$1" users)
    [ -z "$place" ] || container_owns "$place" "${owners#* }" "${last#* }"
    service_gone
    docker rm --force "$1" >/dev/null 2>&1 || true
    docker rename "$1-before" "$1"
    docker start "$1" >/dev/null
  elif [ -e "$service_before" ]; then
    ! container_exists "$1" || docker rm --force "$1" >/dev/null
    service_back
    source_back
    systemctl daemon-reload
    systemctl enable --quiet openhands.service
    systemctl restart openhands.service
  else
    return 1
  fi
}

# container_failed NAME REASON [HINT]: the new container goes, with its last words, and the one before it comes back
container_failed() {
  echo "last lines of $1:" >&2
  docker logs --tail 30 "$1" >&2 2>&1 || true
  if openhands_back "$1"; then fail "$2; the one before it serves again" "${3:-when the cause is gone, run it again}"; fi
  docker rm --force "$1" >/dev/null 2>&1 || true
  fail "$2" "${3:-look for its cause in the lines above, then run again}"
}

# openhands_settled NAME: it is proven, so what was there before goes; a container of somebody else's is kept under a name
# that says so
openhands_settled() {
  rm -f "$service_before" "$service_before".*
  source_settled
  container_exists "$1-before" || return 0
  if [ -n "$(container_label "$1-before" spec)" ]; then
    docker rm --force "$1-before" >/dev/null
  else
    docker rename "$1-before" "$1-adopted"
  fi
}

# openhands_key FILE: what Canvas asks its users for, made once on the host
openhands_key() {
  [ -n "$1" ] && [ ! -s "$1" ] || return 0
  made directory "$1"
  printf 'LOCAL_BACKEND_API_KEY=%s\n' "$(head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n')" |
    atomic_file "$1" 0600 root:root
}

# OpenHands as a container or as a service: which of them there is, and what gave way to it.
: "${ledger:?}"
# shellcheck disable=SC2034  # why a directory is not handed over, for who calls
unhanded='' remedy=''

# Whom we gave a directory to last, as `UID:GID DIRECTORY`: the directory itself may have been given to somebody else since
workers=/var/lib/fleethands/workers
worker_of() {
  worker=$([ ! -f "$workers" ] || directory=" $1" awk 'substr($0, index($0, " ")) == ENVIRON["directory"] { print $1 }' "$workers")
  echo "${worker:-$(service_user)}"
}

# hands_over DIRECTORY UID:GID: who works in it from now on. What the one before has in it goes with it, and nobody else's files.
# Its service and its container were ended by the caller. Where it fails, $unhanded and $remedy say why, and what to do.
# shellcheck disable=SC2034
hands_over() {
  unhanded="$1 is no directory, or the directory that it lies in is not root's" remedy="see whose it is, on the host: namei -l '$1'"
  case $2 in *[!0-9:]* | :* | *: | '') return 1 ;; esac
  real=$(real_path "$1") && [ -d "$real" ] && [ ! -L "$real" ] || return
  unhanded="$1 cannot be given to $2" remedy="see why, on the host: chown -h $2 '$1'"
  owner=$(stat -c %u:%g "$real") || return
  if [ "$owner" != "$2" ]; then
    [ "$owner" != "$(worker_of "$1")" ] || tree_goes_too "$1" "${owner%:*}" "$2" || return
    chown -h "$2" "$real" || return
  fi
  grep -qxsF "$2 $1" "$workers" && return 0
  { [ ! -f "$workers" ] || directory=" $1" awk 'substr($0, index($0, " ")) != ENVIRON["directory"]' "$workers"; echo "$2 $1"; } |
    atomic_file "$workers" 0600 root:root
}

# shellcheck disable=SC2034
tree_goes_too() { # DIRECTORY UID UID:GID
  sandboxes_stopped "$1" "$real" || return
  nobody_left "$2" || {
    unhanded="$1 cannot be given to $3: processes of the user $2, who works in it, still run" remedy="see them, on the host: ps -fU $2"
    return 1
  }
  give_tree "$real" "$2" "$3"
}

# sandboxes_stopped PATH…: those in which one of them is mounted. OpenHands starts them again when somebody goes on with one.
sandboxes_stopped() (
  mounted=$(printf '%s\n' "$@")
  for each in $(docker ps --quiet --filter name='^/?oh-agent-server-' --filter name='^/?openhands-runtime-' 2>/dev/null); do
    docker container inspect --format '{{range .Mounts}}{{println .Source}}{{end}}' "$each" | grep -qxF "$mounted" || continue
    docker stop --time 15 "$each" >/dev/null || exit 1
  done
)

# nobody_left UID: no process of a user that fleethands made still works on the host itself; in containers of others the same
# number is somebody else's
nobody_left() (
  name=$(getent passwd "$1" | cut -d : -f 1)
  grep -qxsF "user $name" "$ledger" || exit 0
  left=$(find /proc -maxdepth 1 -name '[0-9]*' -uid "$1" | while read -r each; do
    [ "$(readlink "$each/ns/mnt")" != "$(readlink /proc/self/ns/mnt)" ] || echo "$each"
  done)
  [ -z "$left" ]
)

# OpenHands as a service, where it runs without a container; a unit that gave way is kept until the new one is proven
service_unit=/etc/systemd/system/openhands.service
service_before=/var/lib/fleethands/openhands.service-before
service_environment=/etc/fleethands/openhands.env
service_config=/etc/fleethands/config.toml

# by its first line: what somebody else has there is left alone
service_ours() { [ -f "$service_unit" ] && head -n 1 "$service_unit" | grep -q '^# Written by fleethands'; }

# as whom the service works that is there, or gave way; empty where there is none
service_user() {
  works=$(sed -n 's/^User=//p' "$service_unit" "$service_before" 2>/dev/null | head -n 1)
  [ -z "$works" ] || numbers_of "$works"
}

# what the unit reads is kept with it; the unit last, as it says that all is kept
service_kept() {
  for each in "$service_environment" "$service_config"; do
    rm -f "$service_before.${each##*.}"
    [ ! -e "$each" ] || cp -p "$each" "$service_before.${each##*.}"
  done
  cp -p "$service_unit" "$service_before"
}

# Functions that bring back are asked in conditions, where `set -e` does not count: each says itself that it failed.
service_back() {
  for each in "$service_environment" "$service_config"; do
    [ ! -e "$service_before.${each##*.}" ] || mv -fT "$service_before.${each##*.}" "$each" || return
  done
  mv -fT "$service_before" "$service_unit"
}

# of two, the one that is kept already was proven, and the one that runs was not
service_aside() {
  service_ours || return 0
  [ -e "$service_before" ] || service_kept
  service_gone
}

service_gone() {
  service_ours || return 0
  systemctl disable --quiet --now openhands.service && rm -f "$service_unit" && systemctl daemon-reload
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

# openhands_waits NAME: what gave way is kept until there is a proof
openhands_waits() { container_waits "$1" || [ -e "$service_before" ]; }

# openhands_back NAME: what was OpenHands before this serves again, a container of that name or a service. Status 1: there is
# none; 2: it is there, and does not start.
openhands_back() {
  if container_waits "$1"; then
    container_serves "$1" || return 2
  elif [ -e "$service_before" ]; then
    service_serves "$1" || return 2
  else
    return 1
  fi
}

# goes_back DIRECTORY UID:GID: only one that was handed over before. It is tried: what was there before is to start all the same.
goes_back() {
  ! directory=" $1" awk 'substr($0, index($0, " ")) == ENVIRON["directory"] { found = 1 } END { exit !found }' "$workers" 2>/dev/null ||
    hands_over "$@" || true
}

container_serves() {
  was=$(container_label "$1-before" users) was_state=$(container_label "$1-before" state) was_workspace=$(container_label "$1-before" workspace)
  service_gone && container_gone "$1" && docker rename "$1-before" "$1" || return
  goes_back "$was_state" "${was% *}"
  goes_back "$was_workspace" "${was#* }"
  docker start "$1" >/dev/null
}

service_serves() {
  container_gone "$1" && service_back && source_back || return
  was_state=$(sed -n 's,^Environment="HOME=\(.*\)"$,\1,p' "$service_unit")
  was_workspace=$(sed -n 's/^WorkingDirectory=//p' "$service_unit" | sed 's/%%/%/g')
  was=$(service_user)
  goes_back "$was_state" "$was"
  goes_back "$was_workspace" "$was"
  systemctl daemon-reload && systemctl enable --quiet openhands.service && systemctl restart openhands.service
}

# start_by_hand NAME: the command for what is there again, and does not start
start_by_hand() {
  if container_waits "$1"; then
    echo "on the host: docker rename $1-before $1 && docker start $1"
  elif container_exists "$1"; then
    echo "on the host: docker start $1"
  else
    echo 'on the host: systemctl restart openhands; its last words: journalctl -u openhands -n 30'
  fi
}

# gives_way NAME REASON [HINT]: what was to serve goes, and what was there before it comes back, which is never lost
gives_way() {
  back=0
  openhands_back "$1" || back=$?
  case $back in
    0) fail "$2; the one before it serves again" "${3:-when the cause is gone, run it again}" ;;
    2) fail "$2; the one before it is there again, and does not start" ${3:+"$3"} "$(start_by_hand "$1")" ;;
  esac
  container_gone "$1" || true
  ! service_ours || systemctl stop openhands.service || true
  fail "$2" "${3:-look for its cause in the lines above, then run again}"
}

# openhands_settled NAME: it is proven, so what was there before goes; a container of somebody else's is kept under a name
# that says so
openhands_settled() {
  rm -f "$service_before" "$service_before".*
  source_settled
  container_waits "$1" || return 0
  if container_ours "$1-before"; then
    docker rm --force "$1-before" >/dev/null
  else
    docker rename "$1-before" "$1-adopted"
  fi
}

# openhands_key FILE: what Canvas asks its users for, made once on the host
openhands_key() {
  [ -n "$1" ] && [ ! -s "$1" ] || return 0
  mark_managed directory "$1"
  printf 'LOCAL_BACKEND_API_KEY=%s\n' "$(head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n')" |
    atomic_file "$1" 0600 root:root
}

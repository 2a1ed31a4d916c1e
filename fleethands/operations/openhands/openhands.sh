# OpenHands as a container or as a service: which of them there is, and what gave way to it.
: "${ledger:?}"
# shellcheck disable=SC2034  # why a directory is not handed over, for who calls
handover_error='' handover_hint=''

# Whom we gave a directory to last, as `UID:GID DIRECTORY`: the directory itself may have been given to somebody else since
workers=/var/lib/fleethands/workers
last_worker() {
  worker=$([ ! -f "$workers" ] || directory=" $1" awk 'substr($0, index($0, " ")) == ENVIRON["directory"] { print $1 }' "$workers")
  echo "${worker:-$(service_user)}"
}

# hand_over DIRECTORY UID:GID: who works in it from now on. What the one before has in it goes with it, and nobody else's files.
# Its service and its container were ended by the caller. Where it fails, $handover_error and $handover_hint say why, and what to do.
# shellcheck disable=SC2034
hand_over() {
  handover_error="$1 is no directory, or the directory that it lies in is not root's" handover_hint="see whose it is, on the host: namei -l '$1'"
  case $2 in *[!0-9:]* | :* | *: | '') return 1 ;; esac
  real=$(real_path "$1") && [ -d "$real" ] && [ ! -L "$real" ] || return
  handover_error="$1 cannot be given to $2" handover_hint="see why, on the host: chown -h $2 '$1'"
  owner=$(stat -c %u:%g "$real") || return
  if [ "$owner" != "$2" ]; then
    [ "$owner" != "$(last_worker "$1")" ] || hand_over_tree "$1" "${owner%:*}" "$2" || return
    chown -h "$2" "$real" || return
  fi
  grep -qxsF "$2 $1" "$workers" && return 0
  { [ ! -f "$workers" ] || directory=" $1" awk 'substr($0, index($0, " ")) != ENVIRON["directory"]' "$workers"; echo "$2 $1"; } |
    atomic_file "$workers" 0600 root:root
}

# shellcheck disable=SC2034
hand_over_tree() { # DIRECTORY UID UID:GID
  stop_sandboxes "$1" "$real" || return
  has_no_processes "$2" || {
    handover_error="$1 cannot be given to $3: processes of the user $2, who works in it, still run" handover_hint="see them, on the host: ps -fU $2"
    return 1
  }
  give_tree "$real" "$2" "$3"
}

# stop_sandboxes PATH…: those in which one of them is mounted. OpenHands starts them again when somebody goes on with one.
stop_sandboxes() (
  mounted=$(printf '%s\n' "$@")
  for each in $(docker ps --quiet --filter name='^/?oh-agent-server-' --filter name='^/?openhands-runtime-' 2>/dev/null); do
    docker container inspect --format '{{range .Mounts}}{{println .Source}}{{end}}' "$each" | grep -qxF "$mounted" || continue
    docker stop --time 15 "$each" >/dev/null || exit 1
  done
)

# has_no_processes UID: no process of a user that fleethands made still works on the host itself; in containers of others the same
# number is somebody else's
has_no_processes() (
  name=$(getent passwd "$1" | cut -d : -f 1)
  grep -qxsF "user $name" "$ledger" || exit 0
  left=$(find /proc -maxdepth 1 -name '[0-9]*' -uid "$1" | while read -r each; do
    [ "$(readlink "$each/ns/mnt")" != "$(readlink /proc/self/ns/mnt)" ] || echo "$each"
  done)
  [ -z "$left" ]
)

# OpenHands as a service, where it runs without a container; a unit that gave way is kept until the new one is proven
service_unit=/etc/systemd/system/openhands.service
previous_unit=/var/lib/fleethands/openhands.service-before
service_environment=/etc/fleethands/openhands.env
service_config=/etc/fleethands/config.toml

# by its first line: what somebody else has there is left alone
is_own_service() { [ -f "$service_unit" ] && head -n 1 "$service_unit" | grep -q '^# Written by fleethands'; }

# as whom the service works that is there, or gave way; empty where there is none
service_user() {
  works=$(sed -n 's/^User=//p' "$service_unit" "$previous_unit" 2>/dev/null | head -n 1)
  [ -z "$works" ] || numbers_of "$works"
}

# what the unit reads is kept with it; the unit last, as it says that all is kept
keep_service() {
  for each in "$service_environment" "$service_config"; do
    rm -f "$previous_unit.${each##*.}"
    [ ! -e "$each" ] || cp -p "$each" "$previous_unit.${each##*.}"
  done
  cp -p "$service_unit" "$previous_unit"
}

# Functions that bring back are asked in conditions, where `set -e` does not count: each says itself that it failed.
restore_service_files() {
  for each in "$service_environment" "$service_config"; do
    [ ! -e "$previous_unit.${each##*.}" ] || mv -fT "$previous_unit.${each##*.}" "$each" || return
  done
  mv -fT "$previous_unit" "$service_unit"
}

# of two, the one that is kept already was proven, and the one that runs was not
set_service_aside() {
  is_own_service || return 0
  [ -e "$previous_unit" ] || keep_service
  remove_service
}

remove_service() {
  is_own_service || return 0
  systemctl disable --quiet --now openhands.service && rm -f "$service_unit" && systemctl daemon-reload
}

# What was built lies under names of its own, to which links lead: source_link of a unit is one. A link is only put back
# together with its unit.
builds_directory=/opt/openhands-source
source_link() { [ ! -e "$service_unit" ] || sed -n 's,^ExecStart=\(.*\)/bin/serve .*,\1,p' "$service_unit"; }

restore_source_link() {
  link=$(source_link)
  [ -z "$link" ] || [ ! -L "$link.before" ] || mv -fT "$link.before" "$link"
}

# of a run that was ended half-way
remove_partial_builds() {
  for each in "$builds_directory"/*.??????; do
    [ -L "$each" ] || [ ! -d "$each" ] || [ -e "$each/.fleethands" ] || rm -rf "$each"
  done
}

# what neither the link of the unit nor the newest other one leads to
remove_old_builds() {
  [ -d "$builds_directory" ] || return 0
  rm -f "$builds_directory"/*.before
  now=$(source_link)
  other=''
  for link in "$builds_directory"/*; do
    [ -L "$link" ] && [ "$link" != "$now" ] || continue
    [ -z "$other" ] || [ "$(stat -c %Y "$link")" -ge "$(stat -c %Y "$other")" ] || { rm -f "$link" && continue; }
    [ -z "$other" ] || rm -f "$other"
    other=$link
  done
  for each in "$builds_directory"/*.??????; do
    [ ! -L "$each" ] || continue
    case $each in "$(readlink "$now")" | "$(readlink "$other")") ;; *) rm -rf "$each" ;; esac
  done
}

# has_previous_openhands NAME: what gave way is kept until there is a proof
has_previous_openhands() { has_previous_container "$1" || [ -e "$previous_unit" ]; }

# restore_previous_openhands NAME: what was OpenHands before this serves again, a container of that name or a service. Status 1: there is
# none; 2: it is there, and does not start.
restore_previous_openhands() {
  if has_previous_container "$1"; then
    start_previous_container "$1" || return 2
  elif [ -e "$previous_unit" ]; then
    start_previous_service "$1" || return 2
  else
    return 1
  fi
}

# hand_back DIRECTORY UID:GID: only one that was handed over before. It is tried: what was there before is to start all the same.
hand_back() {
  ! directory=" $1" awk 'substr($0, index($0, " ")) == ENVIRON["directory"] { found = 1 } END { exit !found }' "$workers" 2>/dev/null ||
    hand_over "$@" || true
}

start_previous_container() {
  was=$(container_label "$1-before" users) was_state=$(container_label "$1-before" state) was_workspace=$(container_label "$1-before" workspace)
  remove_service && remove_own_container "$1" && docker rename "$1-before" "$1" || return
  hand_back "$was_state" "${was% *}"
  hand_back "$was_workspace" "${was#* }"
  docker start "$1" >/dev/null
}

start_previous_service() {
  remove_own_container "$1" && restore_service_files && restore_source_link || return
  was_state=$(sed -n 's,^Environment="HOME=\(.*\)"$,\1,p' "$service_unit")
  was_workspace=$(sed -n 's/^WorkingDirectory=//p' "$service_unit" | sed 's/%%/%/g')
  was=$(service_user)
  hand_back "$was_state" "$was"
  hand_back "$was_workspace" "$was"
  systemctl daemon-reload && systemctl enable --quiet openhands.service && systemctl restart openhands.service
}

# manual_start_hint NAME: the command for what is there again, and does not start
manual_start_hint() {
  if has_previous_container "$1"; then
    echo "on the host: docker rename $1-before $1 && docker start $1"
  elif container_exists "$1"; then
    echo "on the host: docker start $1"
  else
    echo 'on the host: systemctl restart openhands; its last words: journalctl -u openhands -n 30'
  fi
}

# restore_and_fail NAME REASON [HINT]: what was to serve goes, and what was there before it comes back, which is never lost
restore_and_fail() {
  back=0
  restore_previous_openhands "$1" || back=$?
  case $back in
    0) fail "$2; the one before it serves again" "${3:-when the cause is gone, run it again}" ;;
    2) fail "$2; the one before it is there again, and does not start" ${3:+"$3"} "$(manual_start_hint "$1")" ;;
  esac
  remove_own_container "$1" || true
  ! is_own_service || systemctl stop openhands.service || true
  fail "$2" "${3:-look for its cause in the lines above, then run again}"
}

# remove_previous_openhands NAME: it is proven, so what was there before goes; a container of somebody else's is kept under a name
# that says so
remove_previous_openhands() {
  rm -f "$previous_unit" "$previous_unit".*
  remove_old_builds
  has_previous_container "$1" || return 0
  if is_own_container "$1-before"; then
    docker rm --force "$1-before" >/dev/null
  else
    docker rename "$1-before" "$1-adopted"
  fi
}

# ensure_canvas_key FILE: what Canvas asks its users for, made once on the host
ensure_canvas_key() {
  [ -n "$1" ] && [ ! -s "$1" ] || return 0
  made directory "$1"
  printf 'LOCAL_BACKEND_API_KEY=%s\n' "$(head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n')" |
    atomic_file "$1" 0600 root:root
}

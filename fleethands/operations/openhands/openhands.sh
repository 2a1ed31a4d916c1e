# OpenHands as a container or as a service, and the previous one of either kind. A part of other scripts.
: "${ledger:?}"
# shellcheck disable=SC2034  # why a directory is not handed over, for the caller
handover_error='' handover_hint=''

# Lines `UID:GID DIRECTORY`: the user that each directory was handed over to last. Its owner may have been changed since.
workers=/var/lib/fleethands/workers
last_worker() {
  worker=$([ ! -f "$workers" ] || directory=" $1" awk 'substr($0, index($0, " ")) == ENVIRON["directory"] { print $1 }' "$workers")
  echo "${worker:-$(service_user)}"
}

# hand_over DIRECTORY UID:GID: makes this user the owner of the directory, and of the previous user's files in it. Files of other
# users keep their owner. The caller has stopped the previous service or container. If it fails, $handover_error and
# $handover_hint have the reason and the next step.
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

# stop_sandboxes PATH…: those that mount one of the paths. OpenHands starts them again when a user continues a conversation.
stop_sandboxes() (
  mounted=$(printf '%s\n' "$@")
  for each in $(docker ps --quiet --filter name='^/?oh-agent-server-' --filter name='^/?openhands-runtime-' 2>/dev/null); do
    docker container inspect --format '{{range .Mounts}}{{println .Source}}{{end}}' "$each" | grep -qxF "$mounted" || continue
    docker stop --time 15 "$each" >/dev/null || exit 1
  done
)

# has_no_processes UID: only for users that fleethands created. Processes in containers do not count, because the number may be
# another user there.
has_no_processes() (
  name=$(getent passwd "$1" | cut -d : -f 1)
  grep -qxsF "user $name" "$ledger" || exit 0
  left=$(find /proc -maxdepth 1 -name '[0-9]*' -uid "$1" | while read -r each; do
    [ "$(readlink "$each/ns/mnt")" != "$(readlink /proc/self/ns/mnt)" ] || echo "$each"
  done)
  [ -z "$left" ]
)

# the service, if OpenHands runs without a container; the previous unit is kept until the new one is proven
service_unit=/etc/systemd/system/openhands.service
previous_unit=/var/lib/fleethands/openhands.service-before
service_environment=/etc/fleethands/openhands.env
service_config=/etc/fleethands/config.toml

# by its first line; a foreign unit is left alone
is_own_service() { [ -f "$service_unit" ] && head -n 1 "$service_unit" | grep -q '^# Written by fleethands'; }

# UID:GID of the service or of the previous one; empty without either
service_user() {
  works=$(sed -n 's/^User=//p' "$service_unit" "$previous_unit" 2>/dev/null | head -n 1)
  [ -z "$works" ] || numbers_of "$works"
}

# keeps the unit's files, then the unit: once it is there, all of them are
keep_service() {
  for each in "$service_environment" "$service_config"; do
    rm -f "$previous_unit.${each##*.}"
    [ ! -e "$each" ] || cp -p "$each" "$previous_unit.${each##*.}"
  done
  cp -p "$service_unit" "$previous_unit"
}

# The functions that restore are called in conditions, where `set -e` has no effect, so each returns its own status.
restore_service_files() {
  for each in "$service_environment" "$service_config"; do
    [ ! -e "$previous_unit.${each##*.}" ] || mv -fT "$previous_unit.${each##*.}" "$each" || return
  done
  mv -fT "$previous_unit" "$service_unit"
}

# if a proven unit is kept already, the current one was never proven and is removed
set_service_aside() {
  is_own_service || return 0
  [ -e "$previous_unit" ] || keep_service
  remove_service
}

remove_service() {
  is_own_service || return 0
  systemctl disable --quiet --now openhands.service && rm -f "$service_unit" && systemctl daemon-reload
}

# Each build has a directory of its own, and a symlink leads to it. A unit starts from such a symlink, so both are restored
# together.
builds_directory=/opt/openhands-source
source_link() { [ ! -e "$service_unit" ] || sed -n 's,^ExecStart=\(.*\)/bin/serve .*,\1,p' "$service_unit"; }

restore_source_link() {
  link=$(source_link)
  [ -z "$link" ] || [ ! -L "$link.before" ] || mv -fT "$link.before" "$link"
}

# left by an interrupted run
remove_partial_builds() {
  for each in "$builds_directory"/*.??????; do
    [ -L "$each" ] || [ ! -d "$each" ] || [ -e "$each/.fleethands" ] || rm -rf "$each"
  done
}

# keeps the build that the unit starts from, and the newest of the others
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

# has_previous_openhands NAME: a previous container or service is kept until there is a proof
has_previous_openhands() { has_previous_container "$1" || [ -e "$previous_unit" ]; }

# restore_previous_openhands NAME: starts the previous container or service. Status 1: there is none; 2: it does not start.
restore_previous_openhands() {
  if has_previous_container "$1"; then
    start_previous_container "$1" || return 2
  elif [ -e "$previous_unit" ]; then
    start_previous_service "$1" || return 2
  else
    return 1
  fi
}

# hand_back DIRECTORY UID:GID: only a directory that was handed over. A failure is ignored, so that the previous OpenHands starts.
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

# manual_start_hint NAME: the command that starts what was restored and did not start
manual_start_hint() {
  if has_previous_container "$1"; then
    echo "on the host: docker rename $1-before $1 && docker start $1"
  elif container_exists "$1"; then
    echo "on the host: docker start $1"
  else
    echo 'on the host: systemctl restart openhands; its log: journalctl -u openhands -n 30'
  fi
}

# restore_and_fail NAME REASON [HINT]: removes the new container or service, and starts the previous one
restore_and_fail() {
  back=0
  restore_previous_openhands "$1" || back=$?
  case $back in
    0) fail "$2; the previous one is running again" "${3:-fix the cause, then run it again}" ;;
    2) fail "$2; the previous one is back in place, and does not start" ${3:+"$3"} "$(manual_start_hint "$1")" ;;
  esac
  remove_own_container "$1" || true
  ! is_own_service || systemctl stop openhands.service || true
  fail "$2" "${3:-look for the cause in the lines above, then run again}"
}

# remove_previous_openhands NAME: called once NAME is proven. A foreign container is kept as NAME-adopted.
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

# ensure_canvas_key FILE: the API key that Canvas asks its users for, created once on the host
ensure_canvas_key() {
  [ -n "$1" ] && [ ! -s "$1" ] || return 0
  mark_managed directory "$1"
  printf 'LOCAL_BACKEND_API_KEY=%s\n' "$(head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n')" |
    atomic_file "$1" 0600 root:root
}

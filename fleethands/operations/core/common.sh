# Every script that changes a host begins with this: an error stops the script, and only one script at a time changes a host.
# It takes `step`, the name of the script; `run`, the lock token of this run, if it has locked the host; and `keeps_proof`,
# which is not empty where the last proof still holds after the change.
set -eu
: "${step:?}" "${run=}" "${keeps_proof=}"
ledger=/var/lib/fleethands/made
explained=''
work_file=''
unfinished='' # removed unless the script reaches its end

# remove_at_end PATH: when this script ends, however it ends
remove_at_end() { work_file=$1; }

# stop: fail after the reason was printed
stop() {
  explained=yes
  exit 1
}

# fail MESSAGE [HINT…]
fail() {
  printf 'error: %s\n' "$1" >&2
  shift
  for hint in "$@"; do printf 'hint: %s\n' "$hint" >&2; done
  stop
}

# A script that fails always prints a reason, and leaves no work files.
on_exit() {
  status=$?
  [ -z "$work_file" ] || rm -rf "$work_file"
  [ -z "$unfinished" ] || rm -rf "$unfinished"
  [ "$status" -eq 0 ] || [ -n "$explained" ] ||
    printf 'error: a command of the step %s ended with status %s\n' "$step" "$status" >&2
}
trap on_exit EXIT

DEBIAN_FRONTEND=noninteractive
export DEBIAN_FRONTEND
# any user who can open a lock file can hold the lock, and in /run/lock any user could create the file first
mkdir -p /run/fleethands
umask 077
exec 9>>/run/fleethands/lock.step
flock -w 900 9 || fail 'another run is still changing this host after 15 minutes' 'who it is, on the host: find /proc/[0-9]*/fd -lname /run/fleethands/lock.step'

# require_lock_token: stop if another run has taken the lock since. Long scripts check again before they replace anything,
# because a script outlives its controller, and the next run has made its plan by then.
require_lock_token() {
  [ -z "$run" ] || [ "$(cat /var/lib/fleethands/turn 2>/dev/null)" = "$run" ] ||
    fail 'this run has lost the lock of this host, or another run changed this host since' 'run it again: what was begun is completed then'
}

# Without a lock of its own, a script stops if anyone holds the lock. A script that only verifies needs none.
if [ -n "$run" ]; then
  require_lock_token
elif [ "$step" != verify ] && { [ "$step" != proof ] || [ -n "${entry:-}" ]; }; then
  holder=''
  flock -n -s /run/fleethands/lock true 2>/dev/null || holder=$(sed -n 2p /run/fleethands/lock.json 2>/dev/null) || true
  [ ! -s /var/lib/fleethands/hold ] || holder=$(tail -n 1 /var/lib/fleethands/hold)
  [ -z "$holder" ] || fail "this host is locked by $holder" 'when they have gone: run it again; see it: fleethands lock status'
fi
umask 022

# a change invalidates the proof, except the cleanup that runs after it
[ -n "$keeps_proof" ] || rm -f /var/lib/fleethands/proof

# atomic_file PATH MODE OWNER: standard input replaces the file as a whole. The owner writes it if the directory is not root's.
atomic_file() {
  if real_path "$1" >/dev/null; then root_file "$@"; else owned_file "$@"; fi
}

root_file() {
  directory=$(dirname "$1")
  [ -d "$directory" ] || mkdir -p "$directory"
  new=$(umask 077 && mktemp "$directory/.fleethands-XXXXXX")
  if cat >"$new" && chown "$3" "$new" && chmod "$2" "$new" && sync "$new" && mv -fT "$new" "$1"; then return 0; fi
  rm -f "$new"
  fail "cannot write $1"
}

# mark_managed KIND NAME: add a thing to the ownership manifest, before it is made. fleethands may remove such a thing later.
mark_managed() {
  grep -qxsF "$1 $2" "$ledger" && return 0
  { [ ! -f "$ledger" ] || cat "$ledger"; echo "$1 $2"; } | atomic_file "$ledger" 0644 root:root
}

# unmark_managed KIND NAME
unmark_managed() {
  [ -f "$ledger" ] || return 0
  { grep -vxF "$1 $2" "$ledger" || true; } | atomic_file "$ledger" 0644 root:root
}

# note_adoption LINE: what serve.sh restores if our Ollama does not start in place of the adopted one
adopting=/var/lib/fleethands/adopting
note_adoption() {
  grep -qxsF "$1" "$adopting" && return 0
  { [ ! -f "$adopting" ] || cat "$adopting"; echo "$1"; } | atomic_file "$adopting" 0600 root:root
}

# Every change to a host starts here: an error ends it, and two runs never change one host at a time.
set -eu
: "${step:?}" "${run=}"
ledger=/var/lib/fleethands/made
explained=''
work_file=''
unfinished='' # what only a step that comes to its end leaves

# what is not to outlive this step
remove_at_end() { work_file=$1; }

# the reason was given
stop() {
  explained=yes
  exit 1
}

fail() {
  printf 'error: %s\n' "$1" >&2
  shift
  for hint in "$@"; do printf 'hint: %s\n' "$hint" >&2; done
  stop
}

# no step ends without a word, and none leaves its work files
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
# whoever could open a lock could hold it; in /run/lock everybody could even make it first
mkdir -p /run/fleethands
umask 077
exec 9>>/run/fleethands/lock.step
flock -w 900 9 || fail 'another run is still changing this host after 15 minutes' 'who it is, on the host: find /proc/[0-9]*/fd -lname /run/fleethands/lock.step'

# A run that locked the host goes on only while nobody locked it after it; one that did not, only while nobody has it. Asked
# again after what takes long: a step outlives its controller, and the next run has made its plan by then.
its_turn() {
  [ -z "$run" ] || [ "$(cat /var/lib/fleethands/turn 2>/dev/null)" = "$run" ] ||
    fail 'the lock of this run was taken away, or another run had this host since' 'run it again: what was begun is completed then'
}

if [ -n "$run" ]; then
  its_turn
elif [ "$step" != verify ] && { [ "$step" != proof ] || [ -n "${entry:-}" ]; }; then
  whose=''
  flock -n -s /run/fleethands/lock true 2>/dev/null || whose=$(sed -n 2p /run/fleethands/lock.json 2>/dev/null) || true
  [ ! -s /var/lib/fleethands/hold ] || whose=$(tail -n 1 /var/lib/fleethands/hold)
  [ -z "$whose" ] || fail "this host is locked by $whose" 'when they have gone: run it again; see it: fleethands lock status'
fi
umask 022

# what was proven before this change is not proven after it; but for what only follows from the proof
case $step in firewall_settle | ollama_settle | sandboxes_off) ;; *) rm -f /var/lib/fleethands/proof ;; esac

# atomic_file PATH MODE OWNER: standard input becomes the file, whole or not at all; written by its owner where the directory
# is not root's
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

# made KIND NAME: fleethands made this here, and may take it away again. Said before the thing is made.
made() {
  grep -qxsF "$1 $2" "$ledger" && return 0
  { [ ! -f "$ledger" ] || cat "$ledger"; echo "$1 $2"; } | atomic_file "$ledger" 0644 root:root
}

unmade() {
  [ -f "$ledger" ] || return 0
  { grep -vxF "$1 $2" "$ledger" || true; } | atomic_file "$ledger" 0644 root:root
}

# adopting LINE: what is to be put back if our Ollama does not serve in its place (serve.sh)
adopting=/var/lib/fleethands/adopting
adopting() {
  grep -qxsF "$1" "$adopting" && return 0
  { [ ! -f "$adopting" ] || cat "$adopting"; echo "$1"; } | atomic_file "$adopting" 0600 root:root
}

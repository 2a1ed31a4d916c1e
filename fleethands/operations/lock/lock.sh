# The lock of a host. A run lock is a kernel lock (flock), so it ends with the process that holds it. A manual lock is a file.
# Each answer begins with a word, and describes the locks as they were before, line by line (facts/lock.sh).
#   mark: begins and ends an answer
#   lock: the file of the run lock
set -u
: "${mark:?}" "${lock:?}"
need() { true; }
encoded() { base64 | tr -d '\n'; }
note() { logger -t fleethands -- "$1" || true; }

# any user who can open the file can hold the lock
open_lock() {
  mkdir -p "${lock%/*}"
  umask 077
  exec 8>>"$lock"
  umask 022
}

# replace_file FILE: standard input replaces the file as a whole
replace_file() {
  mkdir -p "${1%/*}" && new=$(mktemp "$1.XXXXXX") || return 1
  if cat >"$new" && chmod 0644 "$new" && mv -fT "$new" "$1"; then return 0; fi
  rm -f "$new"
  return 1
}

answer() {
  printf '%s begin %s\n' "$mark" "$1"
  (read_lock) 2>/dev/null
  printf '%s end\n' "$mark"
}

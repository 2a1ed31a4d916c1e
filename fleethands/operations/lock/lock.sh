# The lock of a host. A run's is the kernel's own (flock), so it ends with the process that holds it; a person's is a file.
# Each answer says who had what before, line by line (facts/lock.sh).
set -u
: "${mark:?}" "${lock:?}"
need() { true; }
encoded() { base64 | tr -d '\n'; }
note() { logger -t fleethands -- "$1" || true; }

# whoever could open it could hold it
open_lock() {
  mkdir -p "${lock%/*}"
  umask 077
  exec 8>>"$lock"
  umask 022
}

# put FILE: standard input becomes the file, whole or not at all
put() {
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

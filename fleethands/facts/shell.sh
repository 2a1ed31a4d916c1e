# Functions that every section of the probe uses. All of it runs in dash and busybox.
# Status 124: no answer in time, and the last line of the section has the seconds. 127: a command is missing, and the last line of the section names it.
: "${mark:?}"
# shellcheck disable=SC2034 # the others use it
newline='
'

have() { command -v "$1" >/dev/null 2>&1; }

# What a section prints of unknown content is base64 on one line.
encoded() { base64 | tr -d '\n'; echo; }

# COMMAND...: 127 where one is missing
need() {
  for tool in "$@"; do
    have "$tool" || { echo "needs $tool" && return 127; }
  done
}

# SECONDS COMMAND...: 124 after that time. SIGKILL, because a client of a hung daemon may ignore SIGTERM.
within() {
  timeout -s KILL "$@"
  case $? in 0) return 0 ;; 137 | 143) return 124 ;; *) return $? ;; esac
}

# Seconds for what answers at once on a healthy host. A busy host is not a broken one: it gets more.
patience=5
load=0
{ read -r load _ </proc/loadavg; } 2>/dev/null
[ "${load%.*}" -lt 4 ] || [ "${load%.*}" -lt "$((2 * $(nproc 2>/dev/null || echo 1)))" ] || patience=15

limit() { within "$patience" "$@"; }

# DEADLINE COMMAND...: for several commands that share one time limit
before() {
  left=$(($1 - $(date +%s)))
  shift
  [ "$left" -gt 0 ] || return 124
  within "$left" "$@"
}

# NAME ARGUMENT...: the output of read_NAME between two marks, with its status
section() {
  name=$1
  shift
  printf '%s begin %s\n' "$mark" "$name"
  ("read_$name" "$@") 2>/dev/null </dev/null
  status=$?
  [ "$status" -ne 124 ] || printf '\nlate %s\n' "$patience"
  printf '\n%s end %s %s\n' "$mark" "$name" "$status"
}

# FILE in a directory that another account owns: it may become a FIFO, a symlink or an endless file at any moment
held() { limit dd "if=$1" iflag=nonblock,fullblock bs=65537 count=1 || within 1 head -c 65537 "$1"; }

# Functions that every section of the probe uses. All of it runs in dash and busybox.
# Status 124: no answer in time, and the last line of the section has the seconds.
# Status 127: a command is missing, and the last line of the section names it.
: "${mark:?}"
# shellcheck disable=SC2034 # the others use newline and word
newline='
'

have() { command -v "$1" >/dev/null 2>&1; }

# Each process costs a host about a millisecond, so what the shell can do itself needs none.
# What a section prints of unknown content is base64 on one line.
encoded() { base64 | tr -d '\n'; echo; }

# WORDS [SEPARATOR]: in $word, without the spaces and line ends between them
joined() {
  unset IFS
  between=${2-}
  # shellcheck disable=SC2086
  set -- $1
  IFS=$between
  word="$*"
  unset IFS
}

# TEXT: in $word, as one word of the answer: the text itself after a colon if it is printable ASCII, otherwise base64
spell() {
  case $1 in '' | *[!!-~]*) joined "$(printf %s "$1" | base64)" ;; *) word=:$1 ;; esac
}

# TEXT: the same for the rest of a line, which may have spaces
spell_line() {
  # shellcheck disable=SC2034
  case $1 in '' | *[!\ -~]*) joined "$(printf %s "$1" | base64)" ;; *) word=:$1 ;; esac
}

# COMMAND...: 127 where one is missing
need() {
  for tool in "$@"; do
    have "$tool" || { echo "needs $tool" && return 127; }
  done
}

# TEXT NAME: the first string of that name in JSON, in $value. One pass over all parts, because dash takes tenths of a second
# for `${text#*PATTERN}` of some kilobytes.
json_string() {
  name=$2 value='' before='' last=''
  IFS='"'
  set -f
  # shellcheck disable=SC2086
  set -- $1
  unset IFS
  set +f
  for value in "$@"; do
    case $before$last in "$name": | "$name: ") return 0 ;; esac
    before=$last last=$value
  done
  value=''
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

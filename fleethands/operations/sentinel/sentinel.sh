# This script is stored on the host, and fleethands-sentinel.service runs it. It makes the proof by the proof's own script, and reports
# once that a link broke, and once that it healed: to the journal and to a webhook. A webhook that fails is kept for the next time.
#   name: of the host in the inventory; empty for the name that the host has itself
#   proof: a symlink to the proof's script, whose name has its sha256; apply: the hint of what an apply repairs
#   results: their directory; private: files with secrets, which no message shows
#   run_lock, manual_lock, step_lock: files of the host lock; step_lock: what a script holds that changes the host
#   SENTINEL_WEBHOOK, SENTINEL_KEY: its address and its key, from the environment
: "${name?}" "${proof:?}" "${apply:?}" "${results:?}" "${private:?}" "${run_lock:?}" "${manual_lock:?}" "${step_lock:?}"
: "${SENTINEL_WEBHOOK=}" "${SENTINEL_KEY=}"
set -u
umask 077
PROOF_WITHIN=3000 # seconds; each of its questions has a limit of its own
MOST_KEPT=20      # webhooks; the oldest ones go first
tab=$(printf '\t')
maker=none # process group of the proof

now() { date -u +%Y-%m-%dT%H:%M:%SZ; }
journal() { printf '<%s>%s\n' "$1" "$2"; } # PRIORITY WORDS: as systemd reads them (sd-daemon(3))

# plain MOST: the first characters of standard input, as printable ASCII
plain() { tr -c '\040-\176' '?' | head -c "$1"; }

# hide: standard input without the values of secrets that this host keeps in files
hide() {
  awk -v files="$private" '
    BEGIN {
      count = split(files, names, " ")
      for (i = 1; i <= count; i++)
        while ((getline line < names[i]) > 0) {
          if (line !~ /^[A-Za-z_][A-Za-z0-9_]*=/) continue
          value = substr(line, index(line, "=") + 1)
          if (value ~ /^".*"$/) value = substr(value, 2, length(value) - 2)
          gsub(/\\\\/, "\001", value); gsub(/\\/, "", value); gsub(/\001/, "\\", value)
          if (length(value) >= 8 && value ~ /[^*]/) secrets[++known] = value
        }
    }
    {
      for (i = 1; i <= known; i++)
        while ((at = index($0, secrets[i])) > 0) $0 = substr($0, 1, at - 1) "********" substr($0, at + length(secrets[i]))
      printf "%s", $0
    }'
}

# replace FILE: standard input replaces the file as a whole
replace() { cat >"$1.new" && sync "$1.new" && mv -f "$1.new" "$1"; }

# is_claimed: whether a run has locked this host, or a script waits until it may change the host
is_claimed() {
  if [ -e "$run_lock" ] && ! flock -n -s "$run_lock" true; then return 0; fi
  # a script waits by flock(1), which ends when it has the lock. /proc/locks has no locks of ended processes in a container.
  for each in $(pgrep -x flock); do
    # the file itself: any account can have another one under this name, in a namespace of its own
    [ -n "$(find -L "/proc/$each/fd" -maxdepth 1 -samefile "$step_lock" 2>/dev/null)" ] || continue
    [ "$(sed 's/.*) //' "/proc/$each/stat" 2>/dev/null | cut -d ' ' -f 3)" = "$maker" ] || return 0 # not of this proof
  done
  return 1
}

# is_busy: whether someone has locked this host, or changes it now
is_busy() {
  if [ -s "$manual_lock" ] || is_claimed; then return 0; fi
  [ -e "$step_lock" ] && ! flock -n "$step_lock" true
}

# is_own_proof: the script is as fleethands wrote it. Otherwise the symlink is removed, so that a plan shows that it is missing.
is_own_proof() {
  script=$(readlink "$proof") && digest=${script#proof-} && digest=${digest%.sh}
  [ "$(sha256sum <"$proof" 2>/dev/null | cut -d ' ' -f 1)" != "${digest:-none}" ] || return 0
  rm -f "$proof"
  return 1
}

# stop_proof: it leads a process group of its own. Docker's client passes SIGTERM on and waits.
stop_proof() {
  kill -TERM "-$maker" 2>/dev/null
  sleep 1
  kill -KILL "-$maker" 2>/dev/null
  wait "$maker" 2>/dev/null
  return 0
}

# make_proof: sets `verdict` to ok, broken or stopped, and `link`, `reason` and `hint`. It has the environment that a run gives it.
make_proof() {
  link='' reason='' hint='' ended=''
  is_own_proof || { fail_proof 'its script is missing, or was changed' "$apply" && return; }
  env -i PATH="$PATH" HOME=/root setsid sh "$proof" >"$results/links" 2>"$results/errors" </dev/null &
  maker=$! until=$(($(date +%s) + PROOF_WITHIN))
  while kill -0 "$maker" 2>/dev/null; do
    if is_claimed; then stop_proof && verdict=stopped && return; fi
    [ "$(date +%s)" -lt "$until" ] || { ended=late && stop_proof && break; }
    sleep 1
  done
  [ -n "$ended" ] || { wait "$maker" && ended=whole || ended=failed; }
  if is_claimed; then verdict=stopped && return; fi
  read_links
}

# read_links: one for each line, `NAME<tab>ok|broken<tab>MILLISECONDS<tab>WORDS<tab>HINT` (operations/proof/1-record.sh)
read_links() {
  row=$(head -c 65536 "$results/links" | awk -F '\t' '$2 == "broken" { print; exit }')
  if [ -n "$row" ]; then
    verdict=broken link=${row%%"$tab"*}
    row=${row#*"$tab"*"$tab"*"$tab"}
    reason=${row%%"$tab"*} hint=${row#*"$tab"} && hint=${hint%%"$tab"*}
  elif [ "$ended" = whole ] && [ -s "$results/links" ]; then
    verdict=ok
  elif [ "$ended" = late ]; then
    fail_proof "it did not end within $PROOF_WITHIN s" 'on the host: systemctl restart docker ollama'
  else
    fail_proof "$(sed -n 's/^error: //p' "$results/errors" | head -n 1)" 'on the host: journalctl -t fleethands-sentinel'
  fi
}

fail_proof() { verdict=broken link=proof reason=${1:-it ended without a result} hint=$2; } # REASON HINT

# read_state: sets `was`, `since` and `was_link` to the result of last time, and `events` to the number of events until now
read_state() {
  was='' since='' was_link='' events=0
  [ -f "$results/state" ] || return 0
  {
    read -r _ && read -r was && read -r _ && read -r since && read -r was_link && read -r _ && read -r _ && read -r events
  } <"$results/state" || was=''
  case $events in '' | *[!0-9]* | ????????*) events=0 ;; esac
}

# write_state: facts/sentinel.py reads it
write_state() {
  printf '%s\n' 1 "$verdict" "$time" "$since" "$link" "$reason" "$hint" "$events" | replace "$results/state"
}

quoted() { printf %s "$1" | sed 's/[\\"]/\\&/g'; }

# keep_event EVENT LINK: the number makes it the same event if this script is interrupted here, and finds it again
keep_event() {
  events=$((events + 1))
  [ -n "$SENTINEL_WEBHOOK" ] || return 0
  mkdir -p "$results/kept"
  printf '{"schema":1,"event":"%s","host":"%s","link":"%s","reason":"%s","hint":"%s","since":"%s","time":"%s"}\n' "$1" \
    "$(quoted "${name:-$(uname -n)}")" "$(quoted "$2")" "$(quoted "$reason")" "$(quoted "$hint")" "$since" "$time" |
    replace "$results/kept/$(printf %07d "$events")"
}

# note_result: each change of the result is one event. The state is written after the event, and the journal after the state.
note_result() {
  time=$(now)
  read_state
  link=$(printf %s "$link" | plain 100) reason=$(printf %s "$reason" | hide | plain 300) hint=$(printf %s "$hint" | hide | plain 1000)
  if [ "$verdict" = broken ] && { [ "$was" != broken ] || [ "$was_link" != "$link" ]; }; then
    since=$time
    keep_event broken "$link"
    write_state
    journal 3 "broken: $link: $reason; hint: $hint"
  elif [ "$verdict" = ok ] && [ "$was" = broken ]; then
    keep_event healed "$was_link"
    broken_since=$since since=$time
    write_state
    journal 5 "healed: $was_link, which was broken since $broken_since"
  else
    [ -n "$was" ] && [ -n "$since" ] || since=$time
    write_state
    if [ "$verdict" = ok ]; then journal 6 'all links hold'; else journal 6 "still broken since $since: $link"; fi
  fi
}

# pad NUMBER HEX: prints the bytes, each combined with the number (RFC 2104)
pad() {
  bytes='' rest=$2
  while [ -n "$rest" ]; do
    byte=$((0x${rest%"${rest#??}"} ^ $1))
    bytes="$bytes\\$((byte / 64))$((byte / 8 % 8))$((byte % 8))"
    rest=${rest#??}
  done
  # shellcheck disable=SC2059
  printf "$bytes"
}

hex() { od -An -v -t x1 | tr -d ' \n'; }
sha256() { sha256sum | cut -d ' ' -f 1; }

# sign FILE: prints its HMAC-SHA256. Only commands of the shell itself get the key, because every user can read a command line.
sign() {
  key=$(printf %s "$SENTINEL_KEY" | hex)
  [ "${#key}" -le 128 ] || key=$(printf %s "$SENTINEL_KEY" | sha256)
  while [ "${#key}" -lt 128 ]; do key=${key}00; done
  inner=$({ pad 54 "$key" && cat "$1"; } | sha256)
  { pad 92 "$key" && pad 0 "$inner"; } | sha256
}

# send FILE: status 0 once the server has taken it. The address may have a token, so it is on no command line either.
send() {
  said=$({
    printf 'url = "%s"\n' "$SENTINEL_WEBHOOK"
    [ -z "$SENTINEL_KEY" ] || printf 'header = "X-Fleethands-Signature: sha256=%s"\n' "$(sign "$1")"
  } | curl -q --config - --silent --output /dev/null --write-out '%{http_code}' --proto '=http,https' --connect-timeout 10 --max-time 30 \
    --retry 4 --retry-connrefused --retry-delay 2 --retry-max-time 60 --header 'Content-Type: application/json' --data-binary "@$1") &&
    failed=0 || failed=$?
  case $failed$said in 02??) return 0 ;; esac
  said="HTTP ${said:-000}, curl $failed"
  return 1
}

# deliver: the oldest first. If one fails, those after it wait for the next time, so that their order stays.
deliver() {
  [ -n "$SENTINEL_WEBHOOK" ] || { rm -rf "$results/kept" && return; }
  set -- "$results"/kept/[0-9]*[0-9]
  [ -f "$1" ] || return 0
  while [ $# -gt "$MOST_KEPT" ]; do
    journal 4 "a webhook is dropped, because more than $MOST_KEPT are kept"
    rm -f "$1"
    shift
  done
  for event in "$@"; do
    send "$event" || { journal 4 "the webhook is kept, because its server did not take it: $said" && return; }
    rm -f "$event"
  done
}

mkdir -p "$results"
if is_busy; then
  journal 6 'no proof is made: this host is locked, or a script changes it'
  exit 0
fi
make_proof
if [ "$verdict" = stopped ]; then
  journal 6 'the proof was stopped: a run wants to change this host'
  exit 0
fi
note_result
deliver
exit 0

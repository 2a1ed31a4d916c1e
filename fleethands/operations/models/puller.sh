# The script of the unit that pulls one model through Ollama's API. Stalls and temporary errors are retried, and downloaded
# parts are kept. Broken part files are removed, once. A failed pull ends with a reason and hints in $place/outcome.
: "${name:?}" "${request:?}" "${url:?}" "${place:?}" "${marker:?}" "${manifest_url:?}" "${manifest:?}" "${digest?}" \
  "${patience:?}" "${tries:?}" "${margin:?}" \
  "${floor:?}" "${blobs:?}" "${renewal:?}" "${ollama:?}" "${container:?}" "${offered:?}"
unclean=${unclean:-}
answer=$place/pull.ndjson
kept='run again: what was downloaded is kept'
LONG=1800 # seconds that hashing or writing may take without progress
LARGEST=65536 # bytes of a manifest; real ones have a few thousand
accept='application/vnd.docker.distribution.manifest.v2+json'

finish() {
  rm -f "$marker"
  exit 0
}

fail() {
  {
    printf 'error: %s\n' "$1"
    shift
    printf 'hint: %s\n' "$@"
  } >"$place/outcome.part"
  rm -f "$answer" "$place/script.sh"
  mv "$place/outcome.part" "$place/outcome"
  finish
}

digest_of() { sha256sum <"$1" | cut -d ' ' -f 1; }
local_digest() { read_as "$ollama" "$manifest" | sha256sum | cut -d ' ' -f 1; }
mib() { echo $((($1 + 1048575) / 1048576)); }

ask_registry() {
  [ ! -s "$offered" ] || return 0
  (exported && at_most $((LARGEST + 1)) curled "$manifest_url" --fail --max-time 30 --header "Accept: $accept" "$manifest_url") \
    >"$offered.part" 2>/dev/null && asked=0 || asked=$?
  [ "$(stat -c %s "$offered.part")" -le $LARGEST ] ||
    fail "the registry sends more than $((LARGEST / 1024)) KiB as manifest of $name" "see it, on the host: curl -L $manifest_url | head -c 1000"
  [ "$asked" -eq 0 ] || return 0
  mv "$offered.part" "$offered"
  check_digest "$(digest_of "$offered")"
  check_space
}

# before the pull replaces the model that is in use
check_digest() {
  [ -z "$digest" ] || [ "$1" = "$digest" ] ||
    fail "the tag $name moved: the registry has $1, pinned is $digest" \
      "if the new one is wanted, $(case $renewal in *' ') echo "$renewal$1" ;; *) echo "$renewal" ;; esac)" "nothing was changed: the model on the host still serves"
}

measure_space() {
  room=$blobs
  until [ -d "$room" ]; do room=$(dirname "$room"); done
  free=$(($(df -Pk "$room" | awk 'NR == 2 { print $4 }') * 1024))
}

check_space() {
  needed=0
  while read -r hex size; do
    [ -e "$blobs/sha256-$hex" ] && continue
    # a part file has its full length from the start, but only the blocks that were downloaded
    # shellcheck disable=SC2046
    set -- $(stat -c '%b %B' "$blobs/sha256-$hex-partial" 2>/dev/null || echo 0 0)
    came=$(($1 * $2))
    [ "$came" -lt "$size" ] || came=$size
    needed=$((needed + size - came))
  done <<END
$(list_blobs "$offered")
END
  [ "$needed" -gt 0 ] || return 0
  measure_space
  [ "$free" -ge $((needed + margin)) ] ||
    fail "model $name needs $(mib $((needed + margin))) MiB, $room has $(mib "$free") MiB free" \
      "on the host: df -h $room; curl -s $url/api/tags"
}

await_ollama() {
  curl -q --silent --noproxy '*' --fail --output /dev/null --max-time 120 --retry 90 --retry-connrefused --retry-delay 1 "$url/api/version" ||
    fail "Ollama does not answer at $url" 'on the host: journalctl -u ollama -n 30' "$kept"
}

# sets `came` and `total`: bytes of this model on the disk, and in all
read_progress() {
  last=$(tail -n 1 "$answer")
  status=$(printf %s "$last" | sed -n 's/.*"status":"\([^"]*\)".*/\1/p')
  current=$(printf %s "$last" | sed -n 's/.*"digest":"sha256:\([0-9a-f]*\)".*/\1/p')
  came=$(printf %s "$last" | sed -n 's/.*"completed":\([0-9]*\).*/\1/p')
  total=$(printf %s "$last" | sed -n 's/.*"total":\([0-9]*\).*/\1/p')
  came=$(whole "$came") || came=0
  total=$(whole "$total") || total=0
  [ -s "$offered" ] || return 0
  total=0
  while read -r hex size; do
    total=$((total + size))
    if [ "$hex" != "$current" ] && [ -e "$blobs/sha256-$hex" ]; then came=$((came + size)); fi
  done <<END
$(list_blobs "$offered")
END
}

report_progress() {
  [ "$came" -ne "$said" ] || return 0
  echo "progress: model $name $came/${total:-0} bytes" >>"$place/said"
  said=$came
}

is_stalled() {
  [ "$came" -le "$high" ] || high=$came grown_at=$now
  case $status in pulling* | '') limit=$patience ;; *) limit=$LONG ;; esac
  [ $((now - grown_at)) -ge "$limit" ]
}

# One request, until it ends or stalls. Ollama keeps the parts of an aborted request (server/download.go, v0.32.15).
request_once() {
  rm -f "$place/pipe"
  mkfifo "$place/pipe"
  : >"$answer"
  cause=''
  printf %s "$request" | curl -q --silent --noproxy '*' --show-error --no-buffer --data @- "$url/api/pull" >"$place/pipe" 2>"$place/curl" &
  client=$!
  # keeps one line of progress a second
  awk -W interactive '!/"completed"/ || systime() != at { print substr($0, 1, 4096); fflush(); at = systime() }' <"$place/pipe" >>"$answer" 2>/dev/null &
  reader=$!
  high=-1 grown_at=$(date +%s)
  until timeout 1 tail --pid "$client" -s 0.1 -f /dev/null; do
    now=$(date +%s)
    read_progress
    report_progress
    measure_space
    if [ "$free" -lt "$floor" ]; then
      # stop before a write fails: Ollama would lose the whole part
      cause="no space left on device: $room has $(mib "$free") MiB free"
    elif is_stalled; then
      cause="nothing came for $limit s"
    else
      continue
    fi
    kill "$client" 2>/dev/null || true
  done
  wait "$reader" || true
  read_progress
  [ "$came" -le "$high" ] || high=$came
}

# Part files that Ollama cannot read make every pull end with EOF. Those that Ollama has open are in use, and stay.
remove_parts() {
  [ -s "$offered" ] || return 0
  main=$(systemctl show ollama.service -p MainPID --value 2>/dev/null) || main=0
  # the main process of a container's unit is Docker's client
  case $(readlink "/proc/${main:-0}/exe") in
    */docker) main=$(timeout 10 docker container inspect --format '{{.State.Pid}}' "$container") || main=0 ;;
  esac
  # shellcheck disable=SC2016
  list_blobs "$offered" | while read -r hex _; do
    find "/proc/${main:-0}/fd" -lname "*/sha256-$hex-partial" 2>/dev/null | grep -q . ||
      as_owner "$ollama" 60 sh -c 'rm -f "$1"*' sh "$blobs/sha256-$hex-partial"
  done
}

# heal_once REASON HINT: fails if this repair was tried before
heal_once() {
  case $healed in *" $1 "*) fail "pull of $name ended early: $why" "$2" ;; esac
  healed="$healed $1 "
}

# the first file or directory among the models that Ollama cannot write
first_unwritable() {
  # shellcheck disable=SC2154 # blobs.sh requires it
  as_owner "$ollama" 60 find "$models_dir/" -xdev ! -writable -printf '; %p belongs to %u (%m)' -quit 2>/dev/null | head -c 500
}

handle_failure() {
  why=$(printf %s "$last" | sed -n 's/.*"error":"\(.*\)".*/\1/p' | sed -e 's/\\[nt]/ /g' -e 's/\\"/"/g' -e 's/ *$//')
  [ -n "$why" ] || why=${cause:-Ollama ended the answer${status:+ after \`$status\`}: $(tail -n 1 "$place/curl")}
  why=$(printf %s "$why" | cut -c 1-500)
  case $why in
    *'file does not exist'*) fail "the registry has no model $name" "look for its right name: https://ollama.com/search" ;;
    *'no space left on device'*) fail "pull of $name ended early: $why" "on the host: df -h $blobs; curl -s $url/api/tags" "$kept" ;;
    *x509:*) fail "pull of $name ended early: $why" \
      "put the registry's authority into the host's store: /usr/local/share/ca-certificates, update-ca-certificates, systemctl restart ollama" ;;
    *'insecure protocol http'* | *'HTTP response to HTTPS client'*)
      fail "pull of $name ended early: $why" "a registry without TLS is used where the model says insecure: true" ;;
    *unauthorized* | *' 401:'* | *' 403:'*) fail "the registry refuses $name: $why" \
      'it knows Ollama by the key ~ollama/.ollama/id_ed25519.pub: add it there' ;;
    *'permission denied'*) fail "pull of $name ended early: $why$(first_unwritable)" "on the host: chown -R ollama: '$models_dir'" "$kept" ;;
    'EOF' | *'unexpected end of JSON'*)
      heal_once parts "on the host: ls -la $blobs/*-partial*"
      remove_parts ;;
    *'digest mismatch'*) heal_once mismatch 'the registry, or a proxy on the way, sends wrong bytes: compare with another host' ;;
    *) retry_later ;;
  esac
}

# temporary errors: retries until it has failed `tries` times in a row without a new byte
retry_later() {
  [ "$high" -le "$best" ] || failures=0 best=$high
  failures=$((failures + 1))
  [ "$failures" -lt "$tries" ] || fail "pull of $name ended early: $why" "$kept" 'on the host: journalctl -u ollama -n 30'
  printf 'model %s: %s; trying again\n' "$name" "$why" >>"$place/said"
  pause=$((1 << (failures - 1)))
  [ "$pause" -le 16 ] || pause=16
  sleep "$pause"
}

# after a crash of the host: a blob may have its name but not all its bytes
check_blobs() {
  [ -n "$unclean" ] || return 0
  unclean=''
  manifest=$(spelled "$manifest")
  bad=$(find_broken_blobs "$manifest")
  [ -n "$bad" ] || return 0
  for hex in $bad; do remove_blob "$hex" || true; done
  echo "model $name: removed broken blobs: $bad" >>"$place/said"
  return 1
}

manifest=$(spelled "$manifest")
failures=0 best=0 healed='' said=-1 came=0 total=0
while :; do
  await_ollama
  ask_registry
  if [ -n "$digest" ] && [ ! -s "$offered" ] && [ -e "$manifest" ] && [ "$(local_digest)" != "$digest" ]; then
    fail "cannot ask the registry for the digest of $name, and the one on the host is not the pinned $digest" \
      "on the host: curl -I $manifest_url" "to pull without asking first, remove it, on the host: curl -X DELETE $url/api/delete -d '{\"model\":\"$name\"}'"
  fi
  fetch_small_blobs
  request_once
  case $status in
    success) check_blobs && break ;;
    *) handle_failure ;;
  esac
done
sync -f "$blobs" # before the marker is removed, so that a crash loses nothing
rm -rf "$place"
finish

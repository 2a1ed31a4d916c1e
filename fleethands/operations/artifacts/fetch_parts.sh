# Fetches parts, one after the other. A part of the scripts of units.
#   limit: bytes a second, or empty; patience: seconds without a byte that end a connection
#   tries: how often in a row a part may fail without a new byte; floor: bytes that stay free on the disk
#   what: `KIND NAME` for the lines of progress; place: directory in which the unit reports
: "${limit?}" "${patience:?}" "${tries:?}" "${floor:?}" "${place:?}" "${what:?}" "${store:?}"
LARGEST_PART=1099511627776 # bytes of a part whose size is unknown
kept='run again: what was downloaded is kept'
authorization=$place/authorization # a header for the registry, in a file that root alone reads
registry=''
total=0 came=0 said=-1

digest_of() { sha256sum <"$1" | cut -d ' ' -f 1; }
mib() { echo $((($1 + 1048575) / 1048576)); }

# renew_access URL: another header for the registry, after the status 401. Here is none; registry.sh has it.
renew_access() { return 1; }

# fetch_parts: fetch each part of the list $place/parts, lines `DIGEST SIZE URL`; the size is `-` if it is unknown
fetch_parts() {
  total=${announced:-0} came=0
  while read -r digest size _; do
    [ "$size" = - ] || total=$((total + size))
    had=$(size_of "$(part_file "$digest")")
    came=$((came + had))
  done <"$place/parts"
  announce_parts
  while read -r digest size url; do
    has_part "$digest" || fetch_part "$digest" "$size" "$url"
    touch -c "$(part_file "$digest")" # it is in use, so that it stays
  done <"$place/parts"
  withdraw_parts
  report_shares
}

# fetch_part DIGEST SIZE URL: from neighbors as far as they have it, otherwise from its server
fetch_part() {
  file=$(part_file "$1")
  growing=$file.part
  take_part "$1" "$2" && return 0
  begin_hashing "$1" "$2"
  download_part "$@"
  end_hashing "$1"
}

# download_part DIGEST SIZE URL
download_part() {
  failures=0 wrong='' renewed=''
  while [ ! -e "$file" ]; do
    [ "$2" = - ] || [ "$(size_of "$growing")" -le "$2" ] || rm -f "$growing"
    had=$(size_of "$growing")
    if [ "$had" != "$2" ] || [ "$2" = 0 ]; then download "$2" "$3"; else ended=0 code=''; fi
    if [ "$ended" -eq 0 ] && { [ "$2" = - ] || [ "$(size_of "$growing")" = "$2" ]; }; then
      keep_part "$1" "$3" || continue
    else
      handle_failure "$1" "$3"
    fi
  done
}

# keep_part DIGEST URL: give a growing part its name, if its digest is right. Otherwise its bytes are downloaded a second time.
keep_part() {
  : >>"$growing" # curl writes no file without bytes
  if [ "sha256:$(digest_of "$growing")" = "$1" ]; then
    { sync "$growing" && mv -T "$growing" "$file"; } || fail "$what: cannot write $file" "on the host: df -h $store"
    came=$((came + $(size_of "$file")))
    report_progress "$came"
    return 0
  fi
  rm -f "$growing"
  [ -z "$wrong" ] || fail "$what: $(shown "$2") has other bytes than its digest $1" \
    'the server, or a proxy on the way, sends wrong bytes: compare with another host'
  wrong=yes
  return 1
}

# shown URL: without a password
shown() { printf '%s\n' "$1" | sed 's|//[^/@]*@|//|' | cut -c 1-300; }

# download SIZE URL: more bytes of the growing part. Sets `ended`, curl's status, `code`, that of HTTP, and the number of
# `redirects`.
download() {
  most=$1
  [ "$most" != - ] || most=$LARGEST_PART
  [ "$1" != - ] || [ -z "${announced:-}" ] || most=$((announced + 1048576))
  run_curl "$2" >"$place/code" 2>"$place/curl" &
  client=$!
  ended=''
  until timeout 1 tail --pid "$client" -s 0.1 -f /dev/null; do
    report_progress $((came + $(size_of "$growing")))
    [ "$(free_bytes "$store")" -lt "$floor" ] || continue
    ended=space
    kill "$client" 2>/dev/null || true
  done
  wait "$client" && : "${ended:=0}" || : "${ended:=$?}"
  read -r code redirects <"$place/code" || code='' redirects=0
  [ "$ended" != space ] || fail_without_space
}

fail_without_space() { fail "$what: $store has only $(mib "$(free_bytes "$store")") MiB free" "on the host: df -h $store" "$kept"; }

# run_curl URL: resume the growing part. The address may have a password, so that it is on no command line. curl drops the
# header if a redirect leads to another server.
run_curl() {
  (
    trap '' XFSZ
    ulimit -f $((most / 512 + 1))
    address=$1
    set -- --fail --continue-at - --output "$growing" --connect-timeout 15 --speed-limit 1 --speed-time "$patience" \
      --write-out '%{http_code} %{num_redirects}\n' --config "$place/address"
    [ -z "$limit" ] || set -- --limit-rate "$limit" "$@"
    case $address in "$registry"/*) [ -z "$registry" ] || [ ! -s "$authorization" ] || set -- --header "@$authorization" "$@" ;; esac
    [ $((failures % 2)) -eq 1 ] || exported # a proxy that fails is not the only way
    (umask 077 && printf 'url = "%s"\n' "$(printf %s "$address" | sed 's/[\\"]/\\&/g')" >"$place/address")
    curled "$address" "$@"
  )
}

report_progress() {
  [ "$1" -ne "$said" ] || return 0
  echo "progress: $what $1/$total bytes" >>"$place/said"
  said=$1
}

# handle_failure DIGEST URL
handle_failure() {
  why="$(shown "$2") answers $code"
  case $ended,$code,$redirects in
    22,404,0 | 22,410,0) fail "$what: its server has no $(shown "$2") any more: it answers $code" "$kept" ;;
    22,401,0 | 22,403,0)
      if [ -z "$renewed" ] && renew_access "$2"; then renewed=yes && return 0; fi
      fail "$what: its server refuses $(shown "$2"): it answers $code" "$(login_hint)" ;;
    22,416,* | 33,* | 36,*) # it cannot resume, or there is nothing more: start over
      if [ "$had" -gt 0 ] && [ "sha256:$(digest_of "$growing")" = "$1" ]; then keep_part "$1" "$2" && return 0; fi
      rm -f "$growing" ;;
    22,*) ;;
    23,* | 63,*)
      [ "$(free_bytes "$store")" -ge "$floor" ] || fail_without_space
      rm -f "$growing"
      fail "$what: $(shown "$2") has more than the $(mib "$most") MiB that it may have" "on the host: df -h $store" ;;
    37,*) fail "$what: cannot read $(shown "$2")" "on the host: ls -l $(shown "$2" | sed 's|^file://||')" ;;
    60,*) fail "$what: cannot fetch $(shown "$2"): $(tail -n 1 "$place/curl")" \
      "put its authority into the host's store: /usr/local/share/ca-certificates, update-ca-certificates" ;;
    *) why=$(tail -n 1 "$place/curl" | cut -c 1-300) ;;
  esac
  [ -e "$growing" ] || [ "$had" -eq 0 ] || had=0
  if [ "$(size_of "$growing")" -gt "$had" ]; then failures=0; else failures=$((failures + 1)); fi
  [ "$failures" -lt "$tries" ] || fail_to_fetch "$what: cannot fetch $(shown "$2")" "${why:-the connection ended}" "$kept"
  echo "$what: ${why:-the connection ended}; trying again" >>"$place/said"
  sleep $((failures > 4 ? 16 : 1 << (failures > 0 ? failures - 1 : 0)))
}

# fail_to_fetch PROBLEM REASON HINT: no neighbor had it either, if there are any
fail_to_fetch() {
  [ -n "${asked_neighbors:-}" ] || fail "$1: $2" "$3"
  fail "$1: $2; no neighbor of the site sends it either" "$3" \
    'select all hosts of the site that may have it, then on this machine: fleethands apply'
}
login_hint() { echo "on the host: curl -fsSIL $(shown "$url")"; }

# check_space DIRECTORY…: refuse if the missing parts do not fit, or the directories to which they are copied do not have room
check_space() {
  needed=0
  while read -r digest size _; do
    [ "$size" != - ] && [ ! -e "$(part_file "$digest")" ] || continue
    needed=$((needed + size - $(size_of "$(part_file "$digest").part")))
  done <"$place/parts"
  [ "$needed" -gt 0 ] || return 0
  for directory in "$store" "$@"; do
    [ "$(free_bytes "$directory")" -ge $((needed + floor)) ] ||
      fail "$what needs $(mib $((needed + floor))) MiB, $directory has $(mib "$(free_bytes "$directory")") MiB free" "on the host: df -h $directory"
  done
}

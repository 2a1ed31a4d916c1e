# Takes parts from the neighbors of a host, if a relay runs there. A part of the scripts of units that fetch artifacts.
: "${place:?}" "${what:?}" "${store:?}" "${floor:?}" "${share:?}"

LARGEST_UNKNOWN=17179869184

is_shared() { [ -s "$share/neighbors" ] && [ -s "$share/ask_neighbors.pl" ]; }

# announce_parts: neighbors wait for the parts of the list $place/parts, which this host is going to fetch
announce_parts() {
  is_shared || return 0
  while read -r digest _; do : >"$share/wanted/${digest#sha256:}"; done <"$place/parts"
}

# withdraw_parts: this host fetches nothing more of the list
withdraw_parts() {
  [ -d "$share/wanted" ] || return 0
  while read -r digest _; do rm -f "$share/wanted/${digest#sha256:}"; done <"$place/parts"
}

# take_part DIGEST SIZE: from neighbors, as the growing part of the caller. Status 1 if the host has to download what is missing itself.
take_part() {
  is_shared || return 1
  : "${growing:?}" "${file:?}"
  hex=${1#sha256:} bytes=$2
  [ "$bytes" != - ] || bytes=${announced:-0}
  # shellcheck disable=SC2034 # fail_to_fetch uses it
  asked_neighbors=yes
  directory=$store digest=$hex size=$bytes run=$share largest=${largest:-$(most_unknown)} \
    perl "$share/ask_neighbors.pl" >"$place/neighbors" 2>&1 7<&- &
  asker=$!
  until timeout 1 tail --pid "$asker" -s 0.1 -f /dev/null; do
    report_progress $((came + $(size_of "$growing")))
    [ "$(free_bytes "$store")" -ge "$floor" ] || kill "$asker" 2>/dev/null || true
  done
  wait "$asker" && ended=0 || ended=$?
  asker=''
  report_neighbors
  [ "$ended" -eq 0 ] && [ -e "$file" ] || return 1
  came=$((came + $(size_of "$file")))
  report_progress "$came"
}

# bytes of a part whose size no server told: a neighbor says it, and must not fill the disk
most_unknown() {
  most=$(($(free_bytes "$store") * 3 / 4))
  echo $((most < LARGEST_UNKNOWN ? most : LARGEST_UNKNOWN))
}

# take_document DIGEST MOST: a manifest or an index, from neighbors; MOST: bytes that it may have
take_document() {
  file=$(part_file "$1")
  growing=$file.part
  largest=$2 take_part "$1" - || rm -f "$growing"
  rm -f "$share/wanted/${1#sha256:}"
  [ -e "$file" ]
}

# what neighbors sent, and those that failed
report_neighbors() {
  grep -x 'neighbor: [0-9a-fA-F.:]* [a-z ]*' "$place/neighbors" | sed "s|^neighbor:|note: $what: neighbor|" >>"$place/said" || true
  sed -n 's/^from: \([0-9a-fA-F.:]* [0-9]*\)$/\1/p' "$place/neighbors" >>"$place/shares"
  rm -f "$place/neighbors"
}

# report_shares: a note of how much came from which neighbor
report_shares() {
  [ -s "$place/shares" ] || return 0
  what=$what awk '{ bytes[$1] += $2 }
    END { for (each in bytes) printf "note: %s: %.0f MiB from the neighbor %s\n", ENVIRON["what"], bytes[each] / 1048576, each }' \
    "$place/shares" | sort >>"$place/said"
  rm -f "$place/shares"
}

# begin_hashing DIGEST SIZE: neighbors check by the digests of its pieces what they pass on of a part from the internet
begin_hashing() {
  hasher=''
  is_shared || return 0
  bytes=$2
  [ "$bytes" != - ] || bytes=${announced:-0}
  : >"$share/internet/${1#sha256:}"
  [ -e "$growing" ] || rm -f "$store/sha256-${1#sha256:}.pieces"
  directory=$store digest=${1#sha256:} size=$bytes run=$share process=$$ perl "$share/hash_pieces.pl" >/dev/null 2>&1 7<&- &
  hasher=$!
}

end_hashing() {
  [ -n "$hasher" ] || return 0
  [ -e "$file" ] || kill -KILL "$hasher" 2>/dev/null || true # see fill in deliver.sh
  wait "$hasher" 2>/dev/null || true
  hasher=''
  rm -f "$share/internet/${1#sha256:}"
}

# stop_sharing: for a script that ends early. No neighbor waits for its parts.
stop_sharing() {
  for each in "${asker:-}" "${hasher:-}"; do [ -z "$each" ] || kill "$each" 2>/dev/null || true; done
  [ -d "$share/internet" ] && [ -f "$place/parts" ] || return 0
  withdraw_parts
  while read -r digest _; do rm -f "$share/internet/${digest#sha256:}"; done <"$place/parts"
}

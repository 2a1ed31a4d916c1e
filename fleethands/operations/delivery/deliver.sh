# Stores parts of a bundle, by their digests. What is on the host already is neither sent nor read. Neighbors are asked first, and
# the controller sends what none of them gives. A part that was cut continues where it ended.
#   rows: lines `DIGEST SIZE KIND NAME VERSION START FILE`. START and FILE are where the part is in a file of this machine,
#   or `-` where the controller sends it; a model and an image have the version `-`.
#   images: lines `NAME REFERENCE`: an image with this reference needs no parts
#   place: directory for the files of this script; what: begins a line of progress; floor: bytes that stay free on the disk
: "${rows:?}" "${images?}" "${store:?}" "${place:?}" "${what:?}" "${floor:?}"
total=0 came=0 skipped=' ' watcher=''

# end_delivery STATUS: however this script ends, also if the connection is lost
# shellcheck disable=SC2329 # a trap calls it
end_delivery() {
  [ -z "$watcher" ] || kill -KILL "$watcher" 2>/dev/null || true
  stop_sharing
  if (exit "$1"); then on_exit; else on_exit; fi # which reads the status
}

# is_installed PACKAGE VERSION: whether the host has the package, in this version or a newer one
is_installed() {
  # shellcheck disable=SC2016
  has=$(dpkg-query -W -f '${db:Status-Status} ${Version}' "$1" 2>/dev/null) || return 1
  case $has in installed\ *) dpkg --compare-versions "${has#installed }" ge "$2" ;; *) return 1 ;; esac
}

skip_images() {
  command -v docker >/dev/null || return 0
  printf '%s\n' "$images" | while read -r name reference; do
    [ -z "$reference" ] || ! image_id "$reference" >/dev/null || echo "$name"
  done
}

list_wanted() {
  skipped=" $(skip_images | tr '\n' ' ') "
  printf '%s\n' "$rows" | while read -r digest size kind name version start from; do
    case $kind in
      package) ! is_installed "$name" "$version" || continue ;;
      image) case $skipped in *" $name "*) continue ;; esac ;;
    esac
    if has_part "$digest"; then touch "$(part_file "$digest")"; else printf '%s\n' "$digest $size $kind $name $start $from"; fi
  done | sort -u -k 1,1 >"$place/parts"
}


# Each second, so that this script notices the end of the connection.
report_progress() { echo "progress: $what $1/$total bytes"; }

check_space() {
  there=0
  while read -r digest size _; do
    total=$((total + size))
    there=$((there + $(size_of "$(part_file "$digest").part")))
  done <"$place/parts"
  free=$(free_bytes "$store")
  [ "$free" -ge $((total - there + floor)) ] ||
    fail "the bundle needs $(((total - there + floor) / 1048576)) MiB, $store has $((free / 1048576)) MiB free" "on the host: df -h $store"
}

# receive DIGEST SIZE KIND NAME START FILE
receive() {
  file=$(part_file "$1")
  growing=$file.part
  [ "$(size_of "$growing")" -le "$2" ] || rm -f "$growing"
  if [ "$5" = - ] && [ "$2" -gt 0 ] && take_part "$1" "$2"; then return; fi
  begin_hashing "$1" "$2"
  until fill "$@" && keep "$@"; do :; done
  end_hashing "$1"
}

# fill DIGEST SIZE KIND NAME START FILE: add what the growing part lacks
fill() {
  had=$(size_of "$growing")
  : >>"$growing"
  chmod 0600 "$growing"
  show_progress &
  watcher=$!
  if [ "$had" -eq "$2" ]; then :; elif [ "$5" = - ]; then
    echo "deliver $1 $had"
    head -c $(($2 - had)) >>"$growing" || true
  else
    dd if="$6" bs=1M iflag=fullblock,skip_bytes,count_bytes skip=$(($5 + had)) count=$(($2 - had)) status=none </dev/null >>"$growing" ||
      fail "cannot read $6" "on the host: ls -l '$(printf %s "$6" | sed "s/'/'\\\\''/g")'; dmesg | tail"
  fi
  # a child that has just begun loses a signal for which this shell has a trap, and the wait would have no end
  kill -KILL "$watcher" 2>/dev/null || true
  wait "$watcher" 2>/dev/null || true
  watcher=''
}

show_progress() {
  exec 9>&-
  while sleep 1 && kill -0 $$ 2>/dev/null; do report_progress $((came + $(size_of "$growing"))); done
}

# keep DIGEST SIZE KIND NAME: give the part its name, if all of it is right. Status 1 if all of it has to be sent a second time: its
# beginning came from neighbors, or in an earlier run.
keep() {
  [ "$(size_of "$growing")" -eq "$2" ] ||
    fail "the connection ended before all of $3 $4 had arrived" 'run it again: what has arrived is kept'
  if [ "sha256:$(sha256sum <"$growing" | cut -d ' ' -f 1)" != "$1" ]; then
    rm -f "$growing" "$file.pieces"
    [ "$had" -eq 0 ] || return 1
    fail "$3 $4 arrived damaged: its digest is not $1" 'check the bundle: fleethands bundle verify FILE' 'run it again'
  fi
  { sync "$growing" && mv -T "$growing" "$file"; } || fail "cannot write $file" "on the host: df -h $store"
  came=$((came + $2))
  report_progress "$came"
}

# pass_on: print what neighbors.sh has noted
pass_on() {
  cat "$place/said"
  : >"$place/said"
}

rm -rf "$place"
(umask 077 && mkdir -p "$place" && : >"$place/said")
remove_at_end "$place"
trap 'end_delivery $?' EXIT
trap 'exit 1' HUP INT PIPE TERM
make_store
list_wanted
check_space
announce_parts
exec 3<"$place/parts"
while read -r digest size kind name start from <&3; do
  receive "$digest" "$size" "$kind" "$name" "$start" "$from"
  pass_on
done
withdraw_parts
report_shares
pass_on
exit 0 # the input stays open

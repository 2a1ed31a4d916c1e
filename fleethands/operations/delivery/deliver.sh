# Stores parts of a bundle, by their digests. What is on the host already is neither sent nor read. A part that was cut continues
# where it ended.
#   rows: lines `DIGEST SIZE KIND NAME VERSION START FILE`. START and FILE are where the part is in a file of this machine,
#   or `-` where the controller sends it; a model and an image have the version `-`.
#   images: lines `NAME REFERENCE`: an image with this reference needs no parts
: "${rows:?}" "${images?}" "${store:?}"
FLOOR=67108864 # bytes that stay free on the disk
wanted=$(mktemp)
remove_at_end "$wanted"
total=0 came=0 skipped=' '

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
  printf '%s\n' "$rows" | while read -r digest size kind name version start file; do
    case $kind in
      package) ! is_installed "$name" "$version" || continue ;;
      image) case $skipped in *" $name "*) continue ;; esac ;;
    esac
    part=$(part_file "$digest")
    if [ -e "$part" ]; then touch "$part"; else echo "$digest $size $kind $name $start $file"; fi
  done | sort -u -k 1,1 >"$wanted"
}

size_of() { stat -c %s "$1" 2>/dev/null || echo 0; }

check_space() {
  while read -r digest size _; do
    total=$((total + size))
    came=$((came + $(size_of "$(part_file "$digest").part")))
  done <"$wanted"
  free=$(($(df -Pk "$store" | awk 'NR == 2 { print $4 }') * 1024))
  [ "$free" -ge $((total - came + FLOOR)) ] ||
    fail "the bundle needs $(((total - came + FLOOR) / 1048576)) MiB, $store has $((free / 1048576)) MiB free" "on the host: df -h $store"
}

# receive DIGEST SIZE KIND NAME START FILE
receive() {
  growing=$(part_file "$1").part
  [ "$(size_of "$growing")" -le "$2" ] || rm -f "$growing"
  had=$(size_of "$growing")
  : >>"$growing"
  chmod 0600 "$growing"
  show_progress &
  watcher=$!
  if [ "$had" -eq "$2" ]; then :; elif [ "$5" = - ]; then
    echo "deliver $1 $had"
    head -c $(($2 - had)) >>"$growing" || true
  else
    dd if="$6" bs=1M iflag=skip_bytes,count_bytes skip=$(($5 + had)) count=$(($2 - had)) status=none </dev/null >>"$growing" ||
      fail "cannot read $6" "on the host: ls -l '$6'; dmesg | tail"
  fi
  kill "$watcher" 2>/dev/null || true
  wait "$watcher" 2>/dev/null || true
  keep "$@"
}

show_progress() {
  exec 9>&-
  while sleep 1 && kill -0 $$ 2>/dev/null; do echo "progress: bundle parts $((came - had + $(size_of "$growing")))/$total bytes"; done
}

# keep DIGEST SIZE KIND NAME: give the part its name, if all of it is right
keep() {
  [ "$(size_of "$growing")" -eq "$2" ] ||
    fail "the connection ended before all of $3 $4 had arrived" 'run it again: what has arrived is kept'
  if [ "sha256:$(sha256sum <"$growing" | cut -d ' ' -f 1)" != "$1" ]; then
    rm -f "$growing"
    fail "$3 $4 arrived damaged: its digest is not $1" 'check the bundle: fleethands bundle verify FILE' 'run it again'
  fi
  sync "$growing"
  mv -T "$growing" "$(part_file "$1")"
  came=$((came + $2 - had))
  echo "progress: bundle parts $came/$total bytes"
}

make_store
list_wanted
check_space
exec 3<"$wanted"
while read -r digest size kind name start file <&3; do receive "$digest" "$size" "$kind" "$name" "$start" "$file"; done
exit 0 # the input stays open

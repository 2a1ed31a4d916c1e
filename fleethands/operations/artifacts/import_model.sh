# Puts the blobs of a model into Ollama's store, and its manifest last. A part of the script of a unit. The store belongs to
# Ollama's user, so root hands each part over in a directory of its own, and that user moves it.
: "${what:?}" "${place:?}" "${kept:?}" "${models_dir:?}" "${blobs:?}" "${ollama:?}" "${store:?}" "${manifest:?}"
handover=${store%/*}/handover
GIVEN=14400 # seconds for a copy to another file system
trusted='' # blobs whose bytes were checked, and then only renamed

check_store() {
  rm -rf "$handover" # of a unit that was killed
  # shellcheck disable=SC2016
  as_owner "$ollama" 60 sh -c 'umask 022; mkdir -p "$1" && [ -w "$1" ] && [ -x "$1" ]' sh "$blobs" 2>/dev/null ||
    fail "$what: the user ollama cannot write to $blobs" "on the host: chown -R ollama: '$models_dir'"
  # shellcheck disable=SC2016
  [ "$(as_owner "$ollama" 60 sh -c 'stat -c %d "$1"' sh "$blobs")" = "$(stat -c %d "$store")" ] && is_near=yes || is_near=''
}

# is_whole HEX SIZE: whether the store has the blob, with the right bytes
is_whole() {
  [ "$(as_owner "$ollama" 60 stat -c %s "$blobs/sha256-$1" 2>/dev/null)" = "$2" ] &&
    [ "$(read_as "$ollama" "$blobs/sha256-$1" iflag=count_bytes count="$2" | sha256sum | cut -d ' ' -f 1)" = "$1" ]
}

# take_back FILE PART: a copy, from a directory that was the user's. The user may have put a link there, or still have the
# file itself open for writing, also after its digest was checked again. Without space for the copy it is downloaded again.
take_back() {
  { chown -h root:root "$handover" && chmod 0700 "$handover" && [ -f "$1" ] && [ ! -L "$1" ]; } || return 0
  [ "$(free_bytes "$store")" -ge $(($(size_of "$1") + ${floor:?})) ] || return 0
  cp --reflink=auto -T "$1" "$2" || rm -f "$2"
}

# import_blob HEX
import_blob() {
  complete=$(part_file "$1")
  rm -rf "$handover"
  {
    mkdir -m 0700 "$handover" && mv -T "$complete" "$handover/$1" && chmod 0644 "$handover/$1" &&
      chown "$ollama" "$handover/$1" "$handover"
  } || fail "$what: cannot write $handover" "on the host: df -h ${store%/*}"
  # shellcheck disable=SC2016
  if as_owner "$ollama" "$GIVEN" sh -c 'touch "$1" && mv -fT "$1" "$2/.fleethands-$3" && mv -fT "$2/.fleethands-$3" "$2/sha256-$3"' \
    sh "$handover/$1" "$blobs" "$1" 2>"$place/moved"; then
    rm -rf "$handover"
    [ -z "$is_near" ] || trusted="$trusted $1 "
    return 0
  fi
  take_back "$handover/$1" "$complete.part"
  rm -rf "$handover"
  fail "$what: the user ollama cannot move a blob to $blobs: $(head -c 300 "$place/moved" | head -n 1)" "on the host: df -h '$models_dir'; ls -ld '$blobs'" "$kept"
}

# write_manifest DIGEST: its blobs are in the store, with the right bytes
write_manifest() {
  sync -f "$store"
  # shellcheck disable=SC2016
  as_owner "$ollama" 60 sh -c 'umask 022; mkdir -p "${1%/*}" && new=$(mktemp "$2/.fleethands-XXXXXX") || exit 1
    cat >"$new" && chmod 0644 "$new" && sync "$new" && mv -fT "$new" "$1" && exit
    rm -f "$new"; exit 1' sh "$manifest" "$models_dir" <"$(part_file "$1")" 2>"$place/moved" ||
    fail "$what: the user ollama cannot write $manifest: $(head -c 300 "$place/moved" | head -n 1)" "on the host: ls -ld '$models_dir/manifests'"
}

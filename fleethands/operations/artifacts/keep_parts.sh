# Keeps the parts of an artifact for hosts that are added to the site later. A part of other scripts, behind part_store.sh.
#   keeps_parts: yes on a host that keeps them
: "${keeps_parts:?}" "${store:?}"

# keep_parts KIND NAME: of the artifact on standard input, lines `DIGEST …`, if the host has all of them. Otherwise they are removed.
# Parts that were kept of an earlier version are removed as well.
keep_parts() {
  given=$(cut -d ' ' -f 1 | sort -u)
  had=$(list_kept | kind=$1 name=$2 awk '$1 == ENVIRON["kind"] && $2 == ENVIRON["name"] { print $3 }')
  {
    list_kept | kind=$1 name=$2 awk '$1 != ENVIRON["kind"] || $2 != ENVIRON["name"]'
    ! can_keep || printf '%s\n' "$given" | sed "s|^|$1 $2 |"
  } | write_kept
  printf '%s\n' "$given" "$had" | drop_parts
}

can_keep() {
  [ "$keeps_parts" = yes ] && [ -n "$given" ] || return 1
  for each in $given; do
    is_digest "$each" && [ -e "$(part_file "$each")" ] || return 1
  done
}

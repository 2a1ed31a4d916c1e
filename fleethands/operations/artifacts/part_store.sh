# The directory of parts that a host has fetched, or was sent. A part of other scripts. A complete part is `sha256-HEX`, its
# digest was right; a growing one ends in `.part`. The file `names` has lines `KIND NAME DIGEST`: what a name stands for,
# according to a bundle. The file `kept` has lines `KIND NAME DIGEST`: parts that stay for hosts that are added to the site later.
store=${store:-/var/lib/fleethands/artifacts}
share=${share:-/run/fleethands/share} # of the relay, if one runs

make_store() { [ -d "$store" ] || { mkdir -p "$(dirname "$store")" && mkdir -m 0700 "$store"; }; }

size_of() { stat -c %s "$1" 2>/dev/null || echo 0; }
free_bytes() { echo $(($(df -Pk "$1" | awk 'NR == 2 { print $4 }') * 1024)); }

# part_file DIGEST: its path
part_file() { echo "$store/sha256-${1#sha256:}"; }

# is_digest DIGEST: status 0 for `sha256:` and 64 hex digits
is_digest() {
  case $1 in sha256:*[!0-9a-f]*) return 1 ;; sha256:*) [ "${#1}" -eq 71 ] ;; *) return 1 ;; esac
}

# is_kept DIGEST: whether the part stays for hosts that are added to the site later
is_kept() { grep -qs " $1\$" "$store/kept"; }

list_kept() { [ ! -f "$store/kept" ] || cat "$store/kept"; }

# write_kept: standard input becomes the list
write_kept() {
  rows=$(cat)
  if [ -n "$rows" ]; then printf '%s\n' "$rows" | atomic_file "$store/kept" 0644 root:root; else rm -f "$store/kept"; fi
}

# has_part DIGEST: whether the host has the complete part. One that was kept is read again, because its disk may have damaged it.
has_part() {
  found=$(part_file "$1")
  [ -e "$found" ] || return 1
  ! is_kept "$1" || [ "sha256:$(sha256sum <"$found" | cut -d ' ' -f 1)" = "$1" ] || { rm -f "$found" && return 1; }
}

# name_part FILE DIGEST: a checked file, perhaps of another file system, becomes a complete part
name_part() {
  named_part=$(part_file "$2")
  mv -T "$1" "$named_part.part" && sync "$named_part.part" && mv -T "$named_part.part" "$named_part"
}

# delivered_digest KIND NAME: what the name stands for, if a bundle said so
delivered_digest() {
  [ -f "$store/names" ] || return 0
  # shellcheck disable=SC2016
  kind=$1 name=$2 awk '$1 == ENVIRON["kind"] && $2 == ENVIRON["name"] { print $3; exit }' "$store/names"
}

# drop_parts: remove the parts of a list on standard input, lines `DIGEST SIZE URL`, but those that are kept
drop_parts() {
  while read -r digest _; do
    is_digest "$digest" || continue
    is_kept "$digest" || keep_shared "$digest" || rm -f "$(part_file "$digest")" "$(part_file "$digest").part"
  done
}

# keep_shared DIGEST: status 0 if neighbors may still want the part. The end of the relay removes it then.
keep_shared() {
  [ -s "$share/neighbors" ] || return 1
  : >"$share/kept/${1#sha256:}"
}

# Parts that no run asked for during a week: a run was aborted, and the next one needed something else.
drop_old_parts() {
  find "$store" -maxdepth 1 -type f -name 'sha256-*' -mtime +7 2>/dev/null | while read -r old; do
    is_kept "sha256:${old##*/sha256-}" || rm -f "$old"
  done
}

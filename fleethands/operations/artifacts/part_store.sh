# The directory of parts that a host has fetched, or was sent. A part of other scripts. A complete part is `sha256-HEX`, its
# digest was right; a growing one ends in `.part`. The file `names` has lines `KIND NAME DIGEST`: what a name stands for,
# according to a bundle.
store=${store:-/var/lib/fleethands/artifacts}

make_store() { [ -d "$store" ] || { mkdir -p "$(dirname "$store")" && mkdir -m 0700 "$store"; }; }

# part_file DIGEST: its path
part_file() { echo "$store/sha256-${1#sha256:}"; }

# is_digest DIGEST: status 0 for `sha256:` and 64 hex digits
is_digest() {
  case $1 in sha256:*[!0-9a-f]*) return 1 ;; sha256:*) [ "${#1}" -eq 71 ] ;; *) return 1 ;; esac
}

# delivered_digest KIND NAME: what the name stands for, if a bundle said so
delivered_digest() {
  [ -f "$store/names" ] || return 0
  # shellcheck disable=SC2016
  kind=$1 name=$2 awk '$1 == ENVIRON["kind"] && $2 == ENVIRON["name"] { print $3; exit }' "$store/names"
}

# drop_parts: remove the parts of a list on standard input, lines `DIGEST SIZE URL`
drop_parts() {
  while read -r digest _; do
    is_digest "$digest" || continue
    rm -f "$(part_file "$digest")" "$(part_file "$digest").part"
  done
}

# Parts that no run asked for during a week: a run was aborted, and the next one needed something else.
drop_old_parts() { find "$store" -maxdepth 1 -type f -name 'sha256-*' -mtime +7 -delete 2>/dev/null || true; }

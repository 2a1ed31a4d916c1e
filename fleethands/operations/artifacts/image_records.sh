# Knows images that fleethands loaded by their digests. A part of other scripts. Docker has no digest of a registry for such an
# image, so the file of image records has lines `DIGEST ID`: the digest that was fetched, and the image's id. Both were checked,
# and neither ever means anything else.
image_records=${image_records:-/var/lib/fleethands/images}

# image_id IMAGE: its id, if it is on the host; otherwise status 1
image_id() {
  known_id "$1" && return 0
  case $1 in *@sha256:*) recorded=$(recorded_id "${1##*@}") ;; *) return 1 ;; esac
  [ -n "$recorded" ] && known_id "$recorded"
}

# known_id IMAGE: its id, as Docker knows it. Docker prints an empty line about a missing image.
known_id() {
  known=$(docker image inspect --format '{{.Id}}' "$1" 2>/dev/null) && [ -n "$known" ] && echo "$known"
}

# recorded_id DIGEST
recorded_id() {
  [ ! -f "$image_records" ] || awk -v digest="$1" '$1 == digest { id = $2 } END { print id }' "$image_records"
}

# is_loaded ID: status 0 if fleethands loaded this image
is_loaded() { [ -f "$image_records" ] && awk -v id="$1" '$2 == id { found = 1 } END { exit !found }' "$image_records"; }

# record_image DIGEST ID: the newest fifty are kept
record_image() {
  { [ ! -f "$image_records" ] || grep -v "^$1 " "$image_records" | tail -n 49; echo "$1 $2"; } | atomic_file "$image_records" 0644 root:root
}

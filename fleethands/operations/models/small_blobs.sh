# Hands the small blobs of a model to Ollama before it pulls the model. A part of the puller.
: "${manifest_url:?}" "${url:?}" "${place:?}" "${blobs:?}"
offered=$place/manifest # the registry's answer
SMALL=65536 # bytes of a template, parameters, a license and the like

# fetch_small HEX SIZE: hand a blob to Ollama, which would also store other bytes, and only then refuse them (server/routes.go,
# CreateBlobHandler, v0.24.0)
fetch_small() {
  part=$place/blob-$left
  (exported && at_most "$2" curled "$manifest_url" --fail --max-time 10 "${manifest_url%/manifests/*}/blobs/sha256:$1") >"$part" 2>/dev/null &&
    [ "$(digest_of "$part")" = "$1" ] &&
    curl -q --silent --noproxy '*' --output /dev/null --max-time 10 --data-binary "@$part" "$url/api/blobs/sha256:$1" || true
  rm -f "$part"
}

# Ollama needs a second for each blob, however small it is (server/download.go, v0.24.0: a ticker of a second), so the small
# ones are fetched at once. Ollama's own pull brings what is missing then.
fetch_small_blobs() {
  [ -s "$offered" ] || return 0
  left=8
  while read -r hex size; do
    [ "${size:-$SMALL}" -lt $SMALL ] && [ ! -e "$blobs/sha256-$hex" ] && [ "$left" -gt 0 ] || continue
    left=$((left - 1))
    fetch_small "$hex" "$size" &
  done <<END
$(list_blobs "$offered")
END
  wait
}

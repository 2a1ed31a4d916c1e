# shellcheck disable=SC2154 # the script that these are a part of sets place and store
# Brings an image to Docker by its parts. A part of other scripts.

# bring_image IMAGE: fetch its parts and load them. A tag names the new image then.
bring_image() {
  fetch_in_unit image "$1" "$1"
  read -r named chosen config <"$place/image"
  loaded_id=$(find_loaded) || { load_parts "$1" && loaded_id=$(find_loaded); } ||
    fail "Docker has no image of the digest $config after it loaded $1" 'on the host: docker image ls --digests'
  record_image "$named" "$loaded_id"
  [ ! -e "$place/asked" ] || pull_digest "$1"
  case $1 in *@*) ;; *) docker tag "$loaded_id" "$1" ;; esac
  { cat "$place/parts" && echo "$named" && echo "$chosen"; } | keep_parts image "$(repository_of "$1")"
  rm -rf "$place"
}

# pull_digest IMAGE: Docker asks the registry for the manifest, and learns the digest of the loaded image. It has all layers, so
# that nothing else is downloaded (moby distribution/pull_v2.go pullSchema2Layers, 20.10 and 26.1).
pull_digest() {
  timeout 60 docker pull --quiet "$(repository_of "$1")@$named" >/dev/null 2>&1 || true
}

# repository_of IMAGE: without its tag and digest
repository_of() {
  repository=${1%%@*}
  case ${repository##*/} in *:*) repository=${repository%:*} ;; esac
  echo "$repository"
}

# find_loaded: the id of the image. It is the digest of the manifest where containerd has the images.
find_loaded() {
  for each in "$config" "$chosen"; do
    known_id "$each" | grep -xF -e "$config" -e "$chosen" && return 0
  done
  return 1
}

# load_parts IMAGE: as Docker and containerd read an archive of images. The parts are not copied for that.
load_parts() {
  layout=$store/layout
  rm -rf "$layout"
  mkdir -p "$layout/blobs/sha256"
  remove_at_end "$layout"
  layers=''
  { echo "$chosen - -" && cat "$place/parts"; } >"$layout.list"
  while read -r digest _; do
    [ -e "$layout/blobs/sha256/${digest#sha256:}" ] || ln "$(part_file "$digest")" "$layout/blobs/sha256/${digest#sha256:}"
    case $digest in "$chosen" | "$config") ;; *) layers="$layers${layers:+,}\"blobs/sha256/${digest#sha256:}\"" ;; esac
  done <"$layout.list"
  rm -f "$layout.list"
  printf '[{"Config":"blobs/sha256/%s","RepoTags":null,"Layers":[%s]}]' "${config#sha256:}" "$layers" >"$layout/manifest.json"
  printf '{"imageLayoutVersion":"1.0.0"}' >"$layout/oci-layout"
  printf '{"schemaVersion":2,"manifests":[{"mediaType":"%s","digest":"%s","size":%s}]}' "$(manifest_type)" "$chosen" \
    "$(stat -c %s "$(part_file "$chosen")")" >"$layout/index.json"
  tar -cf - -C "$layout" --owner 0 --group 0 manifest.json oci-layout index.json blobs | docker load --quiet >"$place/loaded" 2>&1 ||
    fail "Docker cannot load $1: $(tail -n 1 "$place/loaded" | cut -c 1-300)" 'on the host: journalctl -u docker -n 30' 'run again: what was downloaded is kept'
  rm -rf "$layout"
}

manifest_type() {
  # shellcheck disable=SC2154
  if grep -q '"application/vnd.oci.image.config' "$(part_file "$chosen")"; then
    echo application/vnd.oci.image.manifest.v1+json
  else
    echo application/vnd.docker.distribution.manifest.v2+json
  fi
}

# shellcheck disable=SC2154 # registry.sh sets document, registry and repository
# The script of the unit that fetches the parts of an image. Its input is the image. It leaves the digests of the index or
# manifest that the image's name stands for, of the manifest for this host, and of its config in the file `image`.
: "${place:?}" "${what:?}" "${store:?}"
read -r image <"$place/input"
await_turn
make_store
drop_old_parts
arch=$(timeout 60 docker version --format '{{.Server.Arch}}') || fail "Docker does not answer" 'on the host: journalctl -u docker -n 30'
proxy=$(timeout 60 docker info --format '{{.HTTPSProxy}}') || proxy=''
case $proxy in '' | *xxxxx*) ;; *) export HTTPS_PROXY="$proxy" ;; esac # Docker hides a password
locate_image "$image"
delivered=$(delivered_digest image "$image")
fetch_document "${delivered:-$reference}"
named=$document
if is_index "$named"; then
  chosen=$(choose_manifest "$named" "$arch")
  is_digest "$chosen" || fail "$what is not for this host: its registry has none for linux/$arch" 'declare another image'
  fetch_document "$chosen"
fi
listed=$(list_image "$document")
[ -n "$listed" ] || fail "the registry sends no manifest of $what that fleethands can read" 'its format may be too old: build and push the image again'
printf '%s\n' "$listed" | while read -r digest size; do echo "$digest $size $registry/v2/$repository/blobs/$digest"; done >"$place/parts"
config=${listed%% *}
present=''
for each in "$config" "$document"; do # under another name
  if timeout 60 docker image inspect "$each" >/dev/null 2>&1; then present=yes; fi
done
if [ -z "$present" ]; then
  root=$(timeout 60 docker info --format '{{.DockerRootDir}}')
  check_space "$root"
  fetch_parts
fi
echo "$named $document $config" >"$place/image"
: >"$place/done"

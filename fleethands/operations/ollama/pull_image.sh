# Pulls the image of Ollama's container, by digest if fleethands.lock pins it. The running container is not touched before the
# new image has reported the right version.
#   name: the image as declared; image: the same, or NAME@DIGEST if it is pinned
#   fetcher: text of a unit's script on a host that fetches parts (fetch.sh); otherwise empty
: "${image:?}" "${name:?}" "${version:?}"
docker=$(command -v docker) || fail 'the command docker is missing' 'on the host: apt-get install docker-cli'
"$docker" image inspect "$name" >/dev/null 2>&1 || mark_managed image "$name"
if [ "$image" = "$name" ]; then
  if [ -n "$fetcher" ]; then bring_image "$image"; else
    "$docker" pull --quiet "$image" >/dev/null || fail "cannot pull $image" "on the host: docker pull $image"
  fi
elif ! image_id "$image" >/dev/null; then
  if [ -n "$fetcher" ]; then bring_image "$image"; else
    "$docker" pull --quiet "$image" >/dev/null || fail "cannot pull $image, as fleethands.lock pins $name" \
      "on the host: docker pull $image" "if its registry has it no longer: fleethands pin --only $name"
  fi
fi
id=$(image_id "$image") || fail "$image is not on the host" "on the host: docker image ls --digests"
# the downloaded image runs as the user `nobody`, without a network and with a timeout
asked=fleethands-version-$$
said=$(timeout -s KILL 60 "$docker" run --rm --pull never --name "$asked" --network none --cap-drop ALL --pids-limit 64 \
  --memory 1g --security-opt no-new-privileges --user 65534:65534 --env HOME=/nonexistent "$id" --version 2>&1 9>&- |
  head -c 65536 | tail -n 1 | cut -c 1-200) || true
"$docker" rm --force "$asked" >/dev/null 2>&1 || true
case "$said " in
  *" $version ") ;;
  *) fail "$image is not Ollama $version; asked for its version, it says: $said" \
    'declare the version that it is in ollama_version, or another ollama_image' ;;
esac
require_lock_token
[ "$image" = "$name" ] || "$docker" tag "$id" "$name"

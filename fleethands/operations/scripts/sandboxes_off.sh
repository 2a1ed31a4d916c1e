# Takes away the sandboxes that our V1 started: containers of the name that it gives them, made from an image that was its
# sandboxes' (docker_sandbox_service.py, openhands-ai 1.11.0).
: "${images:?}"
sandboxes() {
  docker ps --all --quiet --no-trunc --filter name='^/?oh-agent-server-' |
    while read -r id; do docker container inspect --format '{{.Id}} {{.Config.Image}}' "$id" 2>/dev/null || true; done
}

found=$(sandboxes)
printf '%s\n' "$images" | while IFS= read -r image; do
  printf '%s\n' "$found" | while read -r id its; do
    [ "$its" != "$image" ] || docker rm --force --volumes "$id" >/dev/null
  done
  unmade sandbox "$image"
done

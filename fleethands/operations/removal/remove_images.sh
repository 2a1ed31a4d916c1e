# Removes images that fleethands pulled, unless another container is made from them. An image of that name without a digest was
# built or committed on this host, and may exist nowhere else.
#   images: names, one a line
: "${images:?}"
printf '%s\n' "$images" | while IFS= read -r image; do
  users=$(docker ps --all --quiet --filter "ancestor=$image" | wc -l)
  if [ "$users" -gt 0 ]; then
    echo "note: $image stays: other containers are made from it"
  elif digests=$(docker image inspect --format '{{len .RepoDigests}}' "$image" 2>/dev/null) && [ "$digests" = 0 ] &&
    ! is_loaded "$(docker image inspect --format '{{.Id}}' "$image")"; then
    echo "note: $image stays: it was built on this host"
  elif [ -n "$digests" ]; then
    docker image rm "$image" >/dev/null
  fi
  unmark_managed image "$image"
done

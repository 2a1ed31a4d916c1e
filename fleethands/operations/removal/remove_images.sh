# Removes images that were pulled for us, unless somebody else's container is made from them. What has such a name and came
# from no registry was built or committed on this host, and may be nowhere else.
: "${images:?}"
printf '%s\n' "$images" | while IFS= read -r image; do
  users=$(docker ps --all --quiet --filter "ancestor=$image" | wc -l)
  if [ "$users" -gt 0 ]; then
    echo "note: $image stays: other containers are made from it"
  elif digests=$(docker image inspect --format '{{len .RepoDigests}}' "$image" 2>/dev/null) && [ "$digests" = 0 ]; then
    echo "note: $image stays: it was made on this host"
  elif [ -n "$digests" ]; then
    docker image rm "$image" >/dev/null
  fi
  unmark_managed image "$image"
done

# Removes images that were pulled for us, unless somebody else's container is made from them.
: "${images:?}"
printf '%s\n' "$images" | while IFS= read -r image; do
  users=$(docker ps --all --quiet --filter "ancestor=$image" | wc -l)
  if [ "$users" -gt 0 ]; then
    echo "note: $image stays: other containers are made from it"
  elif docker image inspect "$image" >/dev/null 2>&1; then
    docker image rm "$image" >/dev/null
  fi
  unmade image "$image"
done

# Removes an image that was pulled for us, unless somebody else's container is made from it.
: "${image:?}"
users=$(docker ps --all --quiet --filter "ancestor=$image" | wc -l)
[ "$users" -eq 0 ] || { echo "note: $image stays: other containers are made from it"; unmade image "$image"; exit 0; }
docker image rm "$image" >/dev/null
unmade image "$image"

# Tags an image on the host with its former name.
#   name: the tag; image: id of the image
: "${name:?}" "${image:?}"
if docker image inspect "$image" >/dev/null 2>&1; then
  docker tag "$image" "$name"
else
  fail "the image from that release was removed from the host: $image" "to use the image that $name means now, on this machine: fleethands apply"
fi

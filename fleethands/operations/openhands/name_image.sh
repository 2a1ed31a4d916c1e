# Tags an image on the host with its former name.
#   name: the tag; image: id of the image
: "${name:?}" "${image:?}"
if docker image inspect "$image" >/dev/null 2>&1; then
  docker tag "$image" "$name"
else
  fail "the image of then is not on the host any more: $image" "to have what $name means now, on this machine: fleethands apply"
fi

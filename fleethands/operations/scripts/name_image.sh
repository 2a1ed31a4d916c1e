# Gives an image that is on the host its name again.
: "${name:?}" "${image:?}"
if docker image inspect "$image" >/dev/null 2>&1; then
  docker tag "$image" "$name"
else
  echo "note: the image of then, $image, is not on the host any more: what $name means now serves instead"
fi

# Removes our container. Its state directory and the workspace stay.
: "${name:?}"
is_own_container "$name" || fail "the container $name is not the one that fleethands made" "see it, on the host: docker inspect $name"
docker stop --time 15 "$name" >/dev/null
docker rm "$name" >/dev/null

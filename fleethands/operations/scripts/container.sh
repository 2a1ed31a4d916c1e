# Makes the container what its specification says. The old one is kept until the new one is ready, and comes back otherwise.
: "${name:?}" "${image:?}" "${pull:?}" "${label:?}" "${arguments:?}" "${names:?}" "${url:?}" "${limit:?}"
before=$name-before
docker=$(command -v docker) || fail 'the command docker is missing' 'on the host: apt-get install docker-cli'

exists() { "$docker" container inspect "$1" >/dev/null 2>&1; }
look() { "$docker" container inspect --format "$1" "$name" 2>/dev/null || true; }

start() {
  while IFS= read -r word; do set -- "$@" "$word"; done <<EOF
$arguments
EOF
  for variable in $names; do set -- "$@" --env "$variable"; done
  # values come from the environment: a command line can be read by everybody
  (exported && exec "$docker" run --detach --name "$name" --label "$label" "$@" "$image") >/dev/null 9>&-
}

ready() {
  end=$(($(date +%s) + limit))
  while [ "$(date +%s)" -lt "$end" ]; do
    curl --silent --output /dev/null --fail --max-time 5 "$url" && return 0
    case $(look '{{.State.Status}} {{.RestartCount}}') in
      exited* | dead* | '' | *' '[3-9] | *' '[1-9][0-9]*) return 1 ;;
    esac
    sleep 0.2
  done
  return 1
}

put_back() {
  echo "last lines of $name:" >&2
  "$docker" logs --tail 30 "$name" >&2 2>&1 || true
  "$docker" rm --force "$name" >/dev/null 2>&1 || true
  if exists "$before"; then
    "$docker" rename "$before" "$name"
    "$docker" start "$name" >/dev/null && fail "$1; the container before it serves again"
  fi
  fail "$1" "look for its cause in the lines above, then run again"
}

"$docker" image inspect "$image" >/dev/null 2>&1 || made image "$image"
if [ "$pull" = always ] || ! "$docker" image inspect "$image" >/dev/null 2>&1; then
  "$docker" pull --quiet "$image" >/dev/null || fail "cannot pull $image" "on the host: docker pull $image"
fi

# a run that was killed may have left both
if exists "$before"; then
  "$docker" rm --force "$name" >/dev/null 2>&1 || true
  "$docker" rename "$before" "$name"
fi

if [ "$(look '{{index .Config.Labels "fleethands.spec"}}')" = "${label#*=}" ]; then
  "$docker" start "$name" >/dev/null || fail "$name does not start" "on the host: docker logs $name"
  ready || fail "$name does not get ready" "on the host: docker logs --tail 50 $name"
  exit 0
fi

if exists "$name"; then
  "$docker" stop --time 15 "$name" >/dev/null
  "$docker" rename "$name" "$before"
fi
start || put_back "$image does not start"
ready || put_back "$image did not get ready within $limit s"
"$docker" rm --force "$before" >/dev/null 2>&1 || true

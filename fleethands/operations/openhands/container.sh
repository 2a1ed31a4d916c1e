# Makes the container what its specification says. The old one is kept, stopped, until the new one is ready and proven
# (proof.sh), and comes back otherwise.
: "${name:?}" "${image:?}" "${pull:?}" "${spec:?}" "${arguments:?}" "${names?}" "${url:?}" "${limit:?}" "${generation:?}"
: "${versions?}" "${user:?}" "${state:?}" "${workspace:?}" "${gateway_port?}" "${key_file?}" "${adopt:?}" "${pins?}" "${unhanded?}" "${remedy?}"
docker=$(command -v docker) || fail 'the command docker is missing' 'on the host: apt-get install docker-cli'

look() { "$docker" container inspect --format "$1" "$name" 2>/dev/null || true; }

# pinned IMAGE: the image by the digest that fleethands.lock has, empty where it has none
pinned() { printf '%s\n' "$pins" | awk -v image="$1" '$1 == image { print $2 }'; }

# pull_image IMAGE REASON [HINT]: a login of root's that fails keeps Docker from images that anybody may have
pull_image() {
  told=$("$docker" pull --quiet "$1" 2>&1 >/dev/null) && return 0
  printf '%s\n' "$told" >&2
  told=$(printf '%s\n' "$told" | tail -n 1)
  case $told in
    *credential* | *denied* | *unauthorized*)
      fail "$2: $told" "if anybody may have it, on the host: DOCKER_CONFIG=/nonexistent docker pull $1" ${3:+"$3"}
      ;;
    *) fail "$2: $told" "on the host: docker pull $1" ${3:+"$3"} ;;
  esac
}

have_image() { # IMAGE always|missing
  by_digest=$(pinned "$1")
  [ -z "$by_digest" ] || { have_pinned "$1" && return 0; }
  "$docker" image inspect "$1" >/dev/null 2>&1 || mark_managed image "$1"
  if [ "$2" = always ] || ! "$docker" image inspect "$1" >/dev/null 2>&1; then
    pull_image "$1" "cannot pull $1"
  fi
}

# the tag is what the container is made with, and what people see: on this host it names the pinned image
have_pinned() {
  "$docker" image inspect "$1" >/dev/null 2>&1 || mark_managed image "$1"
  if ! "$docker" image inspect "$by_digest" >/dev/null 2>&1; then
    pull_image "$by_digest" "cannot pull $by_digest, as fleethands.lock pins $1" \
      "if its registry has it no longer: fleethands pin --only $1"
  fi
  "$docker" tag "$by_digest" "$1"
}

# what the image says of itself counts, if it says that it is OpenHands: a label may be that of the system below it
of_generation() {
  said=$("$docker" image inspect --format \
    '{{index .Config.Labels "org.opencontainers.image.title"}} {{index .Config.Labels "org.opencontainers.image.version"}}' "$image")
  version=${said##* }
  version=${version#v}
  case $said in
    *[oO]pen[hH]ands\ *[0-9].* | *agent-canvas\ *[0-9].*)
      [ "${version%%.*}" = "$versions" ] || fail "$image is OpenHands $version, which reads other settings than $generation" \
        'declare what it is, with openhands_flavor and openhands_generation'
      ;;
  esac
}

# user_of IMAGE: UID:GID of its processes, tried, as an image may name its user as it likes
user_of() {
  # shellcheck disable=SC2016
  "$docker" run --rm --network none --entrypoint sh "$1" -c 'echo "$(id -u):$(id -g)"' 9>&- ||
    fail "cannot run a command in $1" "on the host: docker run --rm --entrypoint id $1"
}

# The web app knows which image its sandboxes are of (openhands/app_server/sandbox/sandbox_spec_service.py, 1.11.0); it
# would pull it at the first click.
sandbox_image() {
  set --
  for variable in $names; do
    case $variable in AGENT_SERVER_*) set -- "$@" --env "$variable" ;; esac
  done
  (exported && exec "$docker" run --rm --network none "$@" --entrypoint python "$image" -c 'import logging, sys
logging.disable()
from openhands.app_server.sandbox.sandbox_spec_service import get_agent_server_image as image
sys.stdout.write("\n" + image())' 2>/dev/null 9>&-) | tail -n 1
}

# whoever the processes are: V0 becomes the user it is told to, Canvas is its image's, V1 works in its sandboxes
find_users() {
  sandbox=''
  users="$user $user"
  case $generation in
    canvas) inside=$(user_of "$image") && users="$inside $inside" ;;
    v1)
      sandbox=$(sandbox_image)
      [ -n "$sandbox" ] || fail "$image does not say which image its sandboxes are of" \
        'declare it: AGENT_SERVER_IMAGE_REPOSITORY and AGENT_SERVER_IMAGE_TAG in openhands_env'
      [ -z "$pins" ] || [ -n "$(pinned "$sandbox")" ] || echo "note: fleethands.lock does not pin the image of its sandboxes, $sandbox"
      mark_managed sandbox "$sandbox"
      have_image "$sandbox" missing
      users="$user $(user_of "$sandbox")"
      ;;
  esac
}

start() {
  while IFS= read -r word; do set -- "$@" "$word"; done <<END
$arguments
END
  for variable in $names; do set -- "$@" --env "$variable"; done
  [ -z "$key_file" ] || set -- "$@" --env-file "$key_file"
  if [ -n "$gateway_port" ]; then # sandboxes call back over their bridge
    gateway=$("$docker" network inspect --format '{{(index .IPAM.Config 0).Gateway}}' bridge) || return 1
    set -- "$@" --publish "$gateway:$gateway_port"
  fi
  set -- "$@" --label "fleethands.spec=$spec" --label "fleethands.made=$(cat /proc/sys/kernel/random/uuid)" \
    --label "fleethands.users=$users" --label "fleethands.sandbox=$sandbox" \
    --label "fleethands.state=$state" --label "fleethands.workspace=$workspace"
  # values come from the environment: a command line can be read by everybody
  (exported && exec "$docker" run --detach --name "$name" "$@" "$image") 9>&- 2>&1
}

ready() {
  end=$(($(date +%s) + limit))
  while [ "$(date +%s)" -lt "$end" ]; do
    curl -q --silent --output /dev/null --fail --max-time 5 "$url" && return 0
    case $(look '{{.State.Status}} {{.RestartCount}}') in
      exited* | dead* | '' | *' '[3-9] | *' '[1-9][0-9]*) return 1 ;;
    esac
    sleep 0.2
  done
  return 1
}

own() { hands_over "$state" "${users% *}" && hands_over "$workspace" "${users#* }"; }

# failed REASON [HINT]: with the last words of the new one
failed() {
  echo "last lines of $name:" >&2
  "$docker" logs --tail 30 "$name" >&2 2>&1 || true
  gives_way "$name" "$@"
}

as_specified() { [ "$(container_label "$name" spec) $(container_label "$name" users) $(look '{{.Image}}')" = "$spec $users $id" ]; }

[ "$adopt" = no ] || openhands_adopts "$name"
have_image "$image" "$pull"
[ -z "$versions" ] || of_generation
find_users
require_lock_token
openhands_key "$key_file"

# a run that was killed may have left the old one, and perhaps half of the new one
if container_waits "$name" && [ "$(container_label "$name" spec)" != "$spec" ]; then
  openhands_back "$name" || true # whether it starts or not, it gives way now
fi

id=$("$docker" image inspect --format '{{.Id}}' "$image")
if as_specified && own && "$docker" start "$name" >/dev/null 2>&1; then
  ready || fail "$name does not get ready" "on the host: docker logs --tail 50 $name"
  exit 0
fi

container_aside "$name"
service_aside
own || gives_way "$name" "$unhanded" "$remedy"
started=$(start) || {
  echo "$started" >&2
  case $started in # moby libnetwork/iptables: its own chains are made when it starts
    *'No chain/target/match'*) set -- "Docker's own firewall rules are gone, so $image does not start" 'on the host: systemctl restart docker' ;;
    *) set -- "$image does not start" '' ;;
  esac
  failed "$@"
}
ready || failed "$image did not get ready within $limit s"

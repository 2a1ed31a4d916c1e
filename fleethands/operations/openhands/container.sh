# Creates the container from its specification. The previous one is stopped and kept until the new one is ready and proven
# (proof/1-record.sh). If the new one fails, the previous one is restored.
#   spec: digest of the specification; arguments, names: options of `docker run`, and names of its variables, one a line
#   pins: lines `IMAGE IMAGE@DIGEST` of fleethands.lock
#   user: UID:GID of the workspace's user; state, workspace: directories that are handed over to the container's user
#   versions: major version that the image must have, empty if the generation was declared
#   gateway_port: PORT:PORT to publish on Docker's bridge as well, for sandboxes
#   fetcher: text of a unit's script on a host that fetches parts (fetch.sh); otherwise empty
#   adopt: yes if a foreign container of this name is to be replaced
: "${name:?}" "${image:?}" "${pull:?}" "${spec:?}" "${arguments:?}" "${names?}" "${url:?}" "${limit:?}" "${generation:?}"
: "${versions?}" "${user:?}" "${state:?}" "${workspace:?}" "${gateway_port?}" "${key_file?}" "${adopt:?}" "${pins?}" "${handover_error?}" "${handover_hint?}"
docker=$(command -v docker) || fail 'the command docker is missing' 'on the host: apt-get install docker-cli'

inspect() { "$docker" container inspect --format "$1" "$name" 2>/dev/null || true; }

# pinned_digest IMAGE: IMAGE@DIGEST as pinned in fleethands.lock; empty if it is not pinned
pinned_digest() { printf '%s\n' "$pins" | awk -v image="$1" '$1 == image { print $2 }'; }

# pull_image IMAGE REASON [HINT]: an expired login of root's also keeps Docker from public images
pull_image() {
  if [ -n "$fetcher" ]; then
    bring_image "$1"
    return
  fi
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

# ensure_image IMAGE always|missing
ensure_image() {
  by_digest=$(pinned_digest "$1")
  [ -z "$by_digest" ] || { ensure_pinned_image "$1" && return 0; }
  "$docker" image inspect "$1" >/dev/null 2>&1 || mark_managed image "$1"
  if [ "$2" = always ] || ! "$docker" image inspect "$1" >/dev/null 2>&1; then
    pull_image "$1" "cannot pull $1"
  fi
}

# The container is created from the tag, which is what users see. On this host the tag names the pinned image.
ensure_pinned_image() {
  "$docker" image inspect "$1" >/dev/null 2>&1 || mark_managed image "$1"
  if ! image_id "$by_digest" >/dev/null; then
    pull_image "$by_digest" "cannot pull $by_digest, as fleethands.lock pins $1" \
      "if its registry has it no longer: fleethands pin --only $1"
  fi
  "$docker" tag "$(image_id "$by_digest")" "$1"
}

# The image's version label counts only if its title is OpenHands': an inherited label may describe the base image.
check_generation() {
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

# find_image_user IMAGE: UID:GID of its processes, read in a container, because the image may give its user any name
find_image_user() {
  # shellcheck disable=SC2016
  "$docker" run --rm --network none --entrypoint sh "$1" -c 'echo "$(id -u):$(id -g)"' 9>&- ||
    fail "cannot run a command in $1" "on the host: docker run --rm --entrypoint id $1"
}

# Asks the web app which image its sandboxes use (openhands/app_server/sandbox/sandbox_spec_service.py, 1.11.0). It is pulled
# now, because the web app would only pull it with the first conversation.
find_sandbox_image() {
  set --
  for variable in $names; do
    case $variable in AGENT_SERVER_*) set -- "$@" --env "$variable" ;; esac
  done
  (exported && exec "$docker" run --rm --network none "$@" --entrypoint python "$image" -c 'import logging, sys
logging.disable()
from openhands.app_server.sandbox.sandbox_spec_service import get_agent_server_image as image
sys.stdout.write("\n" + image())' 2>/dev/null 9>&-) | tail -n 1
}

# Sets `users`: UID:GID of the user of the state directory, and of the workspace's. V0 runs as the user that it is given,
# Canvas as its image's, and V1 works in sandboxes with a user of their own.
find_users() {
  sandbox=''
  users="$user $user"
  case $generation in
    canvas) inside=$(find_image_user "$image") && users="$inside $inside" ;;
    v1)
      sandbox=$(find_sandbox_image)
      [ -n "$sandbox" ] || fail "$image does not say which image its sandboxes are of" \
        'declare it: AGENT_SERVER_IMAGE_REPOSITORY and AGENT_SERVER_IMAGE_TAG in openhands_env'
      [ -z "$pins" ] || [ -n "$(pinned_digest "$sandbox")" ] || echo "note: fleethands.lock does not pin the image of its sandboxes, $sandbox"
      mark_managed sandbox "$sandbox"
      ensure_image "$sandbox" missing
      users="$user $(find_image_user "$sandbox")"
      ;;
  esac
}

start_container() {
  while IFS= read -r word; do set -- "$@" "$word"; done <<END
$arguments
END
  for variable in $names; do set -- "$@" --env "$variable"; done
  [ -z "$key_file" ] || set -- "$@" --env-file "$key_file"
  if [ -n "$gateway_port" ]; then # sandboxes call the web app back over the bridge
    gateway=$("$docker" network inspect --format '{{(index .IPAM.Config 0).Gateway}}' bridge) || return 1
    set -- "$@" --publish "$gateway:$gateway_port"
  fi
  set -- "$@" --label "fleethands.spec=$spec" --label "fleethands.made=$(cat /proc/sys/kernel/random/uuid)" \
    --label "fleethands.users=$users" --label "fleethands.sandbox=$sandbox" \
    --label "fleethands.state=$state" --label "fleethands.workspace=$workspace"
  # values go through the environment, because all users can read command lines
  (exported && exec "$docker" run --detach --name "$name" "$@" "$image") 9>&- 2>&1
}

await_ready() {
  end=$(($(date +%s) + limit))
  while [ "$(date +%s)" -lt "$end" ]; do
    curl -q --silent --output /dev/null --fail --max-time 5 "$url" && return 0
    case $(inspect '{{.State.Status}} {{.RestartCount}}') in
      exited* | dead* | '' | *' '[3-9] | *' '[1-9][0-9]*) return 1 ;;
    esac
    sleep 0.2
  done
  return 1
}

hand_over_directories() { hand_over "$state" "${users% *}" && hand_over "$workspace" "${users#* }"; }

# fail_with_logs REASON [HINT]: with the end of the new container's log
fail_with_logs() {
  echo "last lines of $name:" >&2
  "$docker" logs --tail 30 "$name" >&2 2>&1 || true
  restore_and_fail "$name" "$@"
}

is_as_specified() { [ "$(container_label "$name" spec) $(container_label "$name" users) $(inspect '{{.Image}}')" = "$spec $users $id" ]; }

[ "$adopt" = no ] || require_free_adopted_name "$name"
ensure_image "$image" "$pull"
[ -z "$versions" ] || check_generation
find_users
require_lock_token
ensure_canvas_key "$key_file"

# a killed run may have left the previous container, and an incomplete new one
if has_previous_container "$name" && [ "$(container_label "$name" spec)" != "$spec" ]; then
  restore_previous_openhands "$name" || true # whether it starts does not matter: it is replaced now
fi

id=$("$docker" image inspect --format '{{.Id}}' "$image")
if is_as_specified && hand_over_directories && "$docker" start "$name" >/dev/null 2>&1; then
  await_ready || fail "$name does not get ready" "on the host: docker logs --tail 50 $name"
  exit 0
fi

set_container_aside "$name"
set_service_aside
hand_over_directories || restore_and_fail "$name" "$handover_error" "$handover_hint"
started=$(start_container) || {
  echo "$started" >&2
  case $started in # moby libnetwork/iptables: Docker creates its chains only when it starts
    *'No chain/target/match'*) set -- "Docker's own firewall rules are gone, so $image does not start" 'on the host: systemctl restart docker' ;;
    *) set -- "$image does not start" '' ;;
  esac
  fail_with_logs "$@"
}
await_ready || fail_with_logs "$image did not get ready within $limit s"

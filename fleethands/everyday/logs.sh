#   log: ollama or openhands
#   lines: the newest N lines; since: seconds, empty for all; follow: not empty to print new lines as they appear
#   container: name of OpenHands' container
: "${mark:?}" "${log:?}" "${lines:?}" "${since?}" "${follow?}" "${container:?}"

absent() {
  printf '%s absent %s\n' "$mark" "$1"
  exit 0
}

has_unit() {
  [ "$(timeout 10 systemctl show "$1" --property LoadState --value 2>/dev/null)" = loaded ]
}

# 1: no such container; any other failure is an error
has_container() {
  command -v docker >/dev/null || return 1
  found=$(timeout 10 docker container inspect --format found "$container" 2>&1) && return 0
  case $found in *'o such container'* | *'o such object'*) return 1 ;; esac
  # an engine that is not running has no containers that run
  timeout 10 systemctl is-active --quiet docker.service || return 1
  echo "error: Docker does not answer: $(printf %s "$found" | tr '\n' ' ' | cut -c 1-300)" >&2
  echo 'hint: on the host: systemctl restart docker' >&2
  exit 1
}

show_journal() {
  begin "journalctl -u $1"
  set -- journalctl --unit "$1" --no-pager --quiet --output short-iso --lines "$lines"
  [ -z "$since" ] || set -- "$@" --since "-${since}s"
  [ -z "$follow" ] || set -- "$@" --follow
  run_until_input_ends "$@" 2>&1
}

show_container() {
  begin "docker logs $1"
  name=$1
  set -- docker logs --timestamps --tail "$lines"
  [ -z "$since" ] || set -- "$@" --since "${since}s"
  [ -z "$follow" ] || set -- "$@" --follow
  run_until_input_ends "$@" "$name" 2>&1
}

case $log in
  ollama)
    has_unit ollama.service || absent 'Ollama is not on this host: it has no unit ollama.service'
    show_journal ollama.service
    ;;
  openhands)
    if has_container; then show_container "$container"; fi
    has_unit openhands.service || absent "OpenHands is not on this host: no container $container, no unit openhands.service"
    show_journal openhands.service
    ;;
esac

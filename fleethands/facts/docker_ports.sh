# shellcheck disable=SC2154 # docker.sh sets body, deadline and listening
# Foreign containers on the ports that fleethands uses.
: "${ports:?}" "${ollama_container:?}"

# Containers behind docker-proxy on a port that fleethands uses, except fleethands' own ($body)
docker_publishers() {
  case $listening in *'"docker'*) ;; *) return 0 ;; esac
  for port in $ports; do
    case $body in *"\"HostPort\": \"$port\""*) continue ;; esac
    case $listening in *":$port "*) ;; *) continue ;; esac
    before "$deadline" docker ps --filter "publish=$port" --format "publisher $port {{.Names}} {{.Image}}" || return $?
  done
}

# Containers in the host's network that listen on a port that fleethands uses, except its own Ollama
docker_neighbours() {
  case $listening in *'",pid='*) ;; *) return 0 ;; esac
  # shellcheck disable=SC2046
  set -- $(printf '%s\n' "$listening" | sed -n '/(("docker/!s/.*:\([0-9]\{1,5\}\) .*users:((".*",pid=\([0-9]*\),.*/\1 \2/p')
  while [ $# -gt 1 ]; do
    id=$(container_of "$2")
    if [ -n "$id" ]; then
      said=$(before "$deadline" docker container inspect --format '{{.Name}} {{.Config.Image}}' "$id")
      case $? in
        0) case $said in "/$ollama_container "*) ;; *) echo "publisher $1 ${said#/}" ;; esac ;;
        124) return 124 ;;
      esac
    fi
    shift 2
  done
}

# PID: id of the container of a process, by the control group that Docker made
container_of() {
  [ -r "/proc/$1/cgroup" ] || return 0
  while IFS= read -r line; do
    case $line in */docker-*.scope | */docker/*) ;; *) continue ;; esac
    line=${line##*docker[-/]}
    printf '%s\n' "${line%%[!0-9a-f]*}" && return 0
  done <"/proc/$1/cgroup"
}

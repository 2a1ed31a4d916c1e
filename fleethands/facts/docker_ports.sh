# shellcheck disable=SC2154 # docker.sh sets body, deadline, gap and listening
# Foreign containers on the ports that fleethands uses.
: "${ports:?}" "${ollama_container:?}"

# Containers behind docker-proxy on a port that fleethands uses, except fleethands' own ($body)
docker_publishers() {
  for port in $(ports_behind_proxy); do
    case $body in *"\"HostPort\":$gap\"$port\""*) continue ;; esac
    is_published "$port" || continue
    before "$deadline" docker ps --filter "publish=$port" --format "publisher $port {{.Names}} {{.Image}}" || return $?
  done
}

# Ports that fleethands uses and something listens on, if any listener is Docker's
ports_behind_proxy() {
  case $listening in *'"docker'*) ;; *) return 0 ;; esac
  for port in $ports; do
    case $listening in *":$port "*) echo "$port" ;; esac
  done
}

# PORT: where to ask Docker's API which containers publish it, in $path
publishers_path() { path="/containers/json?filters=%7B%22publish%22%3A%7B%22$1%22%3Atrue%7D%7D"; }

# PORT: whether a container may publish it
is_published() {
  [ -n "$has_api" ] || return 0
  publishers_path "$1"
  answer_to "$path"
  case $code,$answer in '200,[]') return 1 ;; esac
}

# Containers in the host's network that listen on a port that fleethands uses, except its own Ollama
docker_neighbours() {
  case $listening in *'",pid='*) ;; *) return 0 ;; esac
  listeners
  # shellcheck disable=SC2086
  set -- $listeners
  while [ $# -gt 1 ]; do
    container_of "$2"
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

# `PORT PID` of each listener, in $listeners, without Docker's own processes
listeners() {
  listeners=''
  while IFS= read -r line; do
    case $line in
      *'(("docker'*) ;;
      *' users:(("'*'",pid='[0-9]*,*)
        pid=${line##*'",pid='} port=${line%% users:*}
        # shellcheck disable=SC2086
        set -- $port
        listeners="$listeners ${4##*:} ${pid%%,*}"
        ;;
    esac
  done <<END
$listening
END
}

# PID: id of the container of a process, in $id, by the control group that Docker made
container_of() {
  id=''
  [ -r "/proc/$1/cgroup" ] || return 0
  while IFS= read -r line; do
    case $line in */docker-*.scope | */docker/*) ;; *) continue ;; esac
    line=${line##*docker[-/]}
    id=${line%%[!0-9a-f]*} && return 0
  done <"/proc/$1/cgroup"
}

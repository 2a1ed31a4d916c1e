# Docker, its container and image in question, and who holds the ports.
: "${container:?}" "${image?}" "${ollama_image?}" "${ollama_container:?}" "${ports:?}" "${records:?}"

# The listeners on the ports in question; the docker section needs them too, so they are read once.
listen() {
  need timeout ss || return $?
  filter=''
  for port in $ports; do filter="${filter:+$filter or }sport = :$port"; done
  limit ss -Hltnp "( $filter )"
}

# STATUS LINES of it
read_sockets() {
  if [ "${#2}" -gt 100000 ]; then
    printf '%s\n' "$2" | head -c 100000
  elif [ -n "$2" ]; then
    printf '%s\n' "$2"
  fi
  return "$1"
}

read_docker() {
  listening=$1
  need timeout base64 tr date sed sort stat awk || return $?
  deadline=$(($(date +%s) + 5)) version=''
  [ ! -e /snap/bin/docker ] || echo snap
  docker_engine || return $?
  if ! have docker; then echo missing && return 0; fi
  if [ -z "$version" ]; then echo stopped && return 0; fi
  docker_object container container "$container" || return $?
  docker_publishers || return $?
  docker_neighbours || return $?
  docker_gone || return $?
  # what a container with our label is made from: an image hands its labels on
  origin=''
  case $body in
    *'"Image": "sha256:'*'"fleethands.spec"'*) origin=${body#*'"Image": "sha256:'} && origin=sha256:${origin%%'"'*} ;;
  esac
  [ -z "$ollama_image" ] || docker_object ollama_image image "$ollama_image" || return $?
  body=''
  [ -z "$image" ] || docker_object image image "$image" || return $?
  case $body in *"\"Id\": \"$origin\""*) return 0 ;; esac
  [ -z "$origin" ] || docker_object origin image "$origin"
}

# KEY container|image NAME
docker_object() {
  body=$(before "$deadline" docker "$2" inspect "$3" 2>&1)
  case $? in
    0) [ "${#body}" -lt 1000000 ] && echo "$1 $(printf %s "$body" | encoded)" ;;
    124) return 124 ;;
    *) case $body in *'No such '* | *'no such '*) echo "$1 -" ;; *) return 1 ;; esac ;;
  esac
}

# images of release records that are not here any more; the one of our own container ($body) is
docker_gone() {
  # shellcheck disable=SC2086
  ids=$(for kind in image ollama_image; do
    sed -n "s/.*\"$kind\": {\"name\": \"[^\"]*\", \"id\": \"\(sha256:[0-9a-f]*\)\".*/\1/p" $records 2>/dev/null
  done | sort -u)
  for id in $ids; do
    case $body in *"$id"*) continue ;; esac
    said=$(before "$deadline" docker image inspect --format '{{.Id}}' "$id" 2>&1)
    case $? in
      0) ;;
      124) return 124 ;;
      *) case $said in *'No such '* | *'no such '*) echo "gone $id" ;; *) return 1 ;; esac ;;
    esac
  done
}

# the containers behind docker-proxy on a port of ours, unless it is our own container ($body)
docker_publishers() {
  case $listening in *'"docker'*) ;; *) return 0 ;; esac
  for port in $ports; do
    case $body in *"\"HostPort\": \"$port\""*) continue ;; esac
    case $listening in *":$port "*) ;; *) continue ;; esac
    before "$deadline" docker ps --filter "publish=$port" --format "publisher $port {{.Names}} {{.Image}}" || return $?
  done
}

# containers in the host's own network that listen on a port of ours, unless it is our own Ollama
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

# PID: the id of the container that a process runs in, by the group that Docker put it into
container_of() {
  [ -r "/proc/$1/cgroup" ] || return 0
  while IFS= read -r line; do
    case $line in */docker-*.scope | */docker/*) ;; *) continue ;; esac
    line=${line##*docker[-/]}
    printf '%s\n' "${line%%[!0-9a-f]*}" && return 0
  done <"/proc/$1/cgroup"
}

# What answers at Docker's socket, where its images lie, and who runs it. Without an answer: where they would lie.
docker_engine() {
  info=$(docker_info)
  case $? in 124) return 124 ;; 125 | 126 | 127) return 1 ;; esac
  case $info in
    podman | *'"BuildahVersion":'*) echo podman ;;
    *'"ServerVersion":"'[!\"]*)
      version=$(docker_field ServerVersion)
      echo "version $version"
      case $info in *'"SecurityOptions":['*) options=${info#*'"SecurityOptions":['} && echo "security ${options%%']'*}" ;; esac
      docker_room "$(docker_images)"
      docker_unit
      docker_gpus
      ;;
    *)
      root=''
      [ ! -f /etc/docker/daemon.json ] ||
        root=$(head -c 65536 /etc/docker/daemon.json | sed -n 's/.*"data-root"[[:space:]]*:[[:space:]]*"\(\/[^"\\]*\)".*/\1/p' | head -n 1)
      docker_room "${root:-/var/lib/docker}"
      docker_gpus
      docker_rootless
      ;;
  esac
}

# curl is the quicker one; the command knows of a socket elsewhere, and may be another engine's
docker_info() {
  if have curl; then
    before "$deadline" curl -q -sS --fail --max-filesize 1048576 --unix-socket /run/docker.sock http://localhost/info
    case $? in 0) return 0 ;; 124) return 124 ;; esac
  fi
  have docker || return 1
  case $(before "$deadline" docker --version) in podman*) echo podman && return 0 ;; esac
  before "$deadline" docker info --format '{{json .}}'
}

# how a container gets NVIDIA's GPUs: Docker's `--gpus` finds its hook by name, whatever runtime is configured (moby
# daemon/nvidia_linux.go, v26); newer ones list the devices of CDI
docker_gpus() {
  case $info in *'"Runtimes":{'*) runtimes=${info#*'"Runtimes":{'} ;; *) runtimes='' ;; esac
  case ${runtimes%%'"DefaultRuntime"'*} in
    *'"nvidia":'*) echo 'gpus runtime' ;;
    *)
      if have nvidia-container-runtime-hook; then echo 'gpus runtime'
      else case $info in *'"nvidia.com/gpu='*) echo 'gpus cdi' ;; esac
      fi
      ;;
  esac
}

docker_field() {
  value=${info#*"\"$1\":\""}
  printf '%s\n' "${value%%'"'*}"
}

# containerd's store of images is its own: of the system's containerd, or of one that Docker starts for itself
docker_images() {
  root=$(docker_field DockerRootDir)
  case $info in
    *'"io.containerd.snapshotter.v1"'*)
      if [ ! -S /run/containerd/containerd.sock ]; then
        root=$root/containerd/daemon
      else
        root=''
        [ ! -f /etc/containerd/config.toml ] ||
          root=$(head -c 65536 /etc/containerd/config.toml | sed -n "s/^root *= *[\"']\(\/[^\"']*\)[\"'].*/\1/p" | head -n 1)
        root=${root:-/var/lib/containerd}
      fi
      ;;
  esac
  printf '%s\n' "$root"
}

# DIRECTORY
docker_room() {
  case $1 in /*) ;; *) return 0 ;; esac
  echo "images $(printf %s "$1" | encoded)"
  disk_of "$1" | sed 's/^/room /'
}

# only where it is not docker.service
docker_unit() {
  pid=''
  [ ! -r /run/docker.pid ] || read -r pid </run/docker.pid
  unit=$(unit_of "$pid")
  [ "$unit" != docker.service ] || return 0
  if [ -z "$unit" ] && have ss; then
    for holder in $(limit ss -Hlxp | sed -n 's/.*docker\.sock .*users:(\(.*\)/\1/p' | tr ',' '\n' | sed -n 's/^pid=//p'); do
      [ "$holder" = 1 ] || { pid=$holder && unit=$(unit_of "$pid"); }
    done
  fi
  [ "$unit" != docker.service ] || return 0
  runs_it "$unit" "$pid" || unit=''
  enabled=''
  [ -z "$unit" ] || enabled=$(limit systemctl is-enabled "$unit")
  # another unit may start one that nobody can enable
  case $enabled in static) [ -z "$(limit systemctl show "$unit" --value -p WantedBy -p RequiredBy | tr -d '\n')" ] || enabled=enabled ;; esac
  echo "unit ${unit:--} ${enabled:--}"
}

# UNIT PID: what somebody starts by hand belongs to the unit of their shell, as ssh.service
runs_it() {
  [ -n "$1" ] || return 1
  main=$(limit systemctl show "$1" --value -p MainPID)
  parent=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$2/status")
  case $1 in snap.*) return 0 ;; esac
  [ "$main" = "$2" ] || [ "$main" = "$parent" ]
}

# PID: the unit of the system's that a process belongs to, empty where it is of somebody's session
unit_of() {
  [ -r "/proc/${1:--}/cgroup" ] || return 0
  while IFS= read -r line; do
    case $line in
      */user.slice/*) ;;
      0::*.service | *:name=systemd:*.service) echo "${line##*/}" && return 0 ;;
    esac
  done <"/proc/$1/cgroup"
}

# people who have an engine of their own
docker_rootless() {
  have pgrep || return 0
  for pid in $(pgrep -x dockerd | head -n 100); do
    owner=$(stat -c %U "/proc/$pid") && [ "$owner" != root ] && echo "rootless $owner"
  done
  true
}

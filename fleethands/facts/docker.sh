# Docker, its container and image in question, and who holds the ports.
: "${container:?}" "${image?}" "${ports:?}" "${records:?}"

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
  if ! have docker; then echo missing && return 0; fi
  need timeout base64 tr date sed sort || return $?
  deadline=$(($(date +%s) + 5))
  version=$(before "$deadline" docker version --format '{{.Server.Version}}')
  case $? in 0) echo "version $version" ;; 124) return 124 ;; 125 | 126 | 127) return 1 ;; *) echo stopped && return 0 ;; esac
  docker_object container container "$container" || return $?
  docker_publishers || return $?
  docker_gone || return $?
  # what a container with our label is made from: an image hands its labels on
  origin=''
  case $body in
    *'"Image": "sha256:'*'"fleethands.spec"'*) origin=${body#*'"Image": "sha256:'} && origin=sha256:${origin%%'"'*} ;;
  esac
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
  ids=$(sed -n 's/.*"image": {"name": "[^"]*", "id": "\(sha256:[0-9a-f]*\)".*/\1/p' $records 2>/dev/null | sort -u)
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
    names=$(before "$deadline" docker ps --filter "publish=$port" --format '{{.Names}}') || return $?
    for name in $names; do echo "publisher $port $name"; done
  done
}

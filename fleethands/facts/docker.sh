# shellcheck disable=SC2034,SC2154 # docker_ports.sh uses listening, shell.sh sets patience
# Docker: the containers and images that fleethands uses.
: "${container:?}" "${image?}" "${ollama_image?}" "${records:?}"

# LISTENERS
read_docker() {
  listening=$1
  need timeout base64 tr date sed sort stat awk || return $?
  deadline=$(($(date +%s) + patience)) version=''
  [ ! -e /snap/bin/docker ] || echo snap
  docker_engine || return $?
  if ! have docker; then echo missing && return 0; fi
  if [ -z "$version" ]; then echo stopped && return 0; fi
  docker_object container container "$container" || return $?
  docker_publishers || return $?
  docker_neighbours || return $?
  docker_gone || return $?
  # the image of a container with fleethands' label, because a container inherits the labels of its image
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

# Images of release records that are missing on the host. The image of fleethands' own container ($body) is there.
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

# shellcheck disable=SC2034,SC2154 # docker_ports.sh uses listening and gap; docker_api.sh sets inspected, shell.sh patience
# Docker: the containers and images that fleethands uses.
: "${container:?}" "${image?}" "${ollama_image?}" "${records:?}"
image_records=${image_records:-/var/lib/fleethands/images} # by image_records.sh

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
  [ ! -f "$image_records" ] || sed -n 's/^\(sha256:[0-9a-f]* sha256:[0-9a-f]*\)$/loaded \1/p' "$image_records" | tail -n 50
  # the image of a container with fleethands' label, because a container inherits the labels of its image
  origin=''
  case $body in
    *"\"Image\":$gap\"sha256:"*'"fleethands.spec"'*)
      json_string "$body" Image
      origin=$value
      ;;
  esac
  [ -z "$ollama_image" ] || docker_object ollama_image image "$ollama_image" || return $?
  body=''
  [ -z "$image" ] || docker_object image image "$image" || return $?
  case $body in *"\"Id\":$gap\"$origin\""*) return 0 ;; esac
  [ -z "$origin" ] || docker_object origin image "$origin"
}

# KEY container|image NAME: print what Docker knows by that name, which is $body then
docker_object() {
  inspect_object "$2" "$3"
  found=$?
  if [ "$found" -eq 3 ] && recorded=$(recorded_image "$3"); then
    inspect_object image "$recorded"
    found=$?
  fi
  case $found in
    0)
      [ "${#body}" -lt 1000000 ] || return 1
      case $body in '['*) spell_line "$body" ;; *) spell_line "[$body]" ;; esac
      printf '%s\n' "$1 $word"
      ;;
    3) echo "$1 -" ;;
    *) return $? ;;
  esac
}

# NAME@DIGEST: the id of an image that fleethands loaded, of which Docker does not know that digest (image_records.sh)
recorded_image() {
  case $1 in *@sha256:*) ;; *) return 1 ;; esac
  [ -f "$image_records" ] || return 1
  recorded=$(sed -n "s/^${1##*@} \(sha256:[0-9a-f]*\)\$/\1/p" "$image_records" | tail -n 1)
  [ -n "$recorded" ] && echo "$recorded"
}

# container|image NAME: what Docker knows by that name, in $body. Status 3: nothing.
inspect_object() {
  if [ -n "$has_api" ]; then
    inspect_by_api "$1" "$2"
    return
  fi
  body=$(before "$deadline" docker "$1" inspect "$2" 2>&1)
  case $? in
    0) ;;
    124) return 124 ;;
    *) case $body in *'No such '* | *'no such '*) return 3 ;; *) return 1 ;; esac ;;
  esac
}

# Images of release records that are missing on the host. The image of fleethands' own container ($body) is there.
docker_gone() {
  own=$body seen=$body
  # shellcheck disable=SC2086
  ids=$(sed -n 'h
s/.*"image": {"name": "[^"]*", "id": "\(sha256:[0-9a-f]*\)".*/\1/p
g
s/.*"ollama_image": {"name": "[^"]*", "id": "\(sha256:[0-9a-f]*\)".*/\1/p' $records 2>/dev/null)
  for id in $ids; do
    case $seen in *"$id"*) continue ;; esac
    seen="$seen $id"
    inspect_object image "$id"
    case $? in 0) ;; 3) echo "gone $id" ;; *) return $? ;; esac
  done
  body=$own
}

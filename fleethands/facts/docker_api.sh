# shellcheck disable=SC2034,SC2154 # docker.sh sets deadline, and uses body and has_api
# Docker's API by curl, because each start of the command `docker` costs a host as much CPU as a third of the probe.
: "${mark:?}" "${newline:?}"

# PATH...: ask for all of them at once. The answers go to $said_N and their HTTP status to $code_N, in the order of all
# paths that were asked so far ($asked). Status: curl's, or 124.
docker_ask() {
  asked="$asked $*"
  for path in "$@"; do shift && set -- "$@" "http://localhost$path"; done
  answers=$(before "$deadline" curl -q -sS --globoff --max-filesize 1048576 --unix-socket /run/docker.sock \
    -w "$newline$mark %{http_code}$newline" "$@")
  ended=$? said=''
  IFS=$newline
  set -f
  # shellcheck disable=SC2086
  set -- $answers
  unset IFS
  set +f
  for each in "$@"; do
    case $each in
      "$mark "*)
        answered=$((answered + 1))
        eval "said_$answered=\$said code_$answered=\${each##* }"
        said=''
        ;;
      *) said=$said$each ;;
    esac
  done
  return "$ended"
}

# What answers at Docker's socket, in $info, and $has_api where its API can be asked. What most hosts are asked for comes
# with it. The command also knows a socket elsewhere, and may be another engine's.
docker_info() {
  has_api='' asked='' answered=0 gap=' '
  if have curl; then
    set -- /info "/containers/$container/json"
    for each in $image $ollama_image; do set -- "$@" "/images/$each/json"; done
    for each in $(ports_behind_proxy); do publishers_path "$each" && set -- "$@" "$path"; done
    docker_ask "$@"
    case $? in
      0) [ "${code_1-}" != 200 ] || { info=$said_1 has_api=yes gap='' && return 0; } ;;
      124) return 124 ;;
    esac
  fi
  have docker || return 1
  case $(before "$deadline" docker --version) in podman*) info=podman && return 0 ;; esac
  info=$(before "$deadline" docker info --format '{{json .}}')
}

# container|image NAME: what Docker knows by that name, in $body. Status 3: nothing.
inspect_by_api() {
  path=/$1s/$2/json
  case " $asked " in
    *" $path "*) ;;
    *)
      docker_ask "$path"
      case $? in 0) ;; 124) return 124 ;; *) return 1 ;; esac
      ;;
  esac
  answer_to "$path"
  body=$answer
  case $code,$body in 200,*) ;; 404,*'No such '* | 404,*'no such '*) return 3 ;; *) return 1 ;; esac
}

# PATH that was asked: what came, in $answer, and its HTTP status in $code
answer_to() {
  number=0 answer='' code=''
  for each in $asked; do
    number=$((number + 1))
    [ "$each" != "$1" ] || eval "answer=\${said_$number-} code=\${code_$number-}"
  done
}

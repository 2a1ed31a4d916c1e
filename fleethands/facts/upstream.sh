# What upstream offers of that which this host lacks.
: "${offers?}" "${models_dir:?}" "${manifest_type:?}"

# What is missing here is asked of where it would come from, all at once: each line of $offers is a kind, a name and
# for curl the line of a configuration that holds the address; nothing of it shows on a command line.
read_upstream() {
  image_missing=$1
  shift
  need uname || return $?
  machine=$(uname -m)
  IFS='
'
  set -f
  for offer in $offers; do
    rest=${offer#* }
    name=${rest%% *}
    case $offer in
      model\ *) [ -f "$models_dir/manifests/$name" ] && continue ;;
      archive\ *)
        [ -f "/opt/ollama/${name%%/*}/.fleethands" ] && continue
        [ "${name##*/}" = "$machine" ] || continue
        ;;
      image\ *) [ -n "$image_missing" ] || continue ;;
      tag\ *) [ -z "$image_missing" ] || continue ;;
      commit\ *) [ -f "$name" ] || continue ;;
    esac
    set -- "$@" "$offer"
  done
  [ $# -gt 0 ] || return 0
  need base64 tr || return $?
  ask_all "$@"
}

# every one runs beside the others, and each writes whole lines: the next in the pipe passes them on
ask_all() {
  [ $# -gt 0 ] || return 0
  offer=$1
  shift
  ask "$offer" </dev/null | { ask_all "$@" && cat; }
}

ask() {
  rest=${1#* }
  name=${rest%% *}
  case $1 in
    model\ *)
      tool=curl
      answer=$(exported && fetch "${rest#* }" -L -w '\n%{http_code}' --max-filesize 4194304 --header "Accept: $manifest_type")
      ;;
    archive\ *) tool=curl && answer=$(fetch "${rest#* }" -I -L) ;;
    tag\ *) tool=curl && answer=$(fetch "${rest#* }" --unix-socket /var/run/docker.sock) ;;
    commit\ *)
      tool=git where=${rest#* }
      ref=${where##* }
      answer=$(exported && export GIT_TERMINAL_PROMPT=0 GIT_ALLOW_PROTOCOL=https:http:ssh:git:file &&
        within 8 git ls-remote -- "${where% *}" "$ref" "$ref^{}")
      ;;
    image\ *) tool=docker && answer=$(within 10 docker manifest inspect --verbose "$name") ;;
  esac
  status=$?
  have "$tool" || status=127
  echo "${1%% *} $name $machine $status $(printf %s "$answer" | encoded)"
}

fetch() {
  printf '%s\n' "$1" | {
    shift
    curl -sS --globoff --config - --connect-timeout 5 --max-time 8 "$@"
  }
}

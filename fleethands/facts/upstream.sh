# What this host lacks, asked of its sources.
: "${by_proxy?}" "${offers?}" "${models_dir:?}" "${manifest_type:?}" "${gguf_header?}" "${ollama_version:?}"

# Each line of $offers has a kind, a name and, for curl, a line of configuration with the address, so that no address
# is on a command line. All sources of missing things are asked at the same time.
read_upstream() {
  images_missing=$1
  shift
  need uname || return $?
  machine=''
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
        machine=${machine:-$(uname -m)}
        [ "${name##*/}" = "$machine" ] || continue
        ;;
      image\ *) case $images_missing in *" $name "*) ;; *) continue ;; esac ;;
      tag\ *) case $images_missing in *" $name "*) continue ;; esac ;;
      commit\ *) [ -f "$name" ] || continue ;;
    esac
    set -- "$@" "$offer"
  done
  [ $# -gt 0 ] || return 0
  need base64 tr head || return $?
  machine=${machine:-$(uname -m)}
  ask_all "$@"
}

# All run at the same time. Each writes whole lines, and the next one in the pipe passes them on.
ask_all() {
  [ $# -gt 0 ] || return 0
  offer=$1
  shift
  ask "$offer" </dev/null | { ask_all "$@" && cat; }
}

ask() {
  rest=${1#* }
  name=${rest%% *}
  # bytes: a model's manifest has some thousand, Docker's answer about an image for several platforms some 100,000
  case $1 in image\ *) largest=524288 ;; *) largest=65536 ;; esac
  most=$((largest + 1))
  case $1 in
    model\ *)
      tool=curl
      answer=$(exported && at_most "$most" fetch "${rest#* }" -w '\n%{http_code}' --header "Accept: $manifest_type")
      ;;
    # only headers are sent, and the size that they announce may be anything
    archive\ *) tool=curl && answer=$(headers "${rest#* }" -I --max-filesize 1099511627776) ;;
    tag\ *) tool=curl && answer=$(at_most "$most" fetch "${rest#* }" --unix-socket /var/run/docker.sock) ;;
    commit\ *) tool=git && answer=$(exported && at_most "$most" remote_refs "${rest#* }") ;;
    image\ *) tool=docker && answer=$(at_most "$most" within 10 docker manifest inspect --verbose "$name") ;;
  esac
  status=$?
  have "$tool" || status=127
  if [ "${#answer}" -gt "$largest" ]; then answer='' status=63; fi
  echo "${1%% *} $name $machine $status $(printf %s "$answer" | encoded)"
  case $1 in model\ *) ask_file "${rest#* }" ;; esac
}

# CONFIGURATION: the parameters of a model and the header of its file, from the layers in the manifest $answer. So the plan
# knows what the model needs before its bytes are downloaded.
ask_file() {
  case $answer in *"
200") ;; *) return 0 ;; esac
  base=${1%/manifests/*}
  digest=$(layer params)
  if [ -n "$digest" ]; then
    echo "params $name $machine 0 $({ exported && at_most 65536 fetch "$base/blobs/$digest\"" --fail; } | encoded)"
  fi
  digest=$(layer model)
  [ -n "$digest" ] || base=''
  echo "header $name $machine 0 $({ exported && read_gguf "$base/blobs/$digest\"" || echo "status $?"; } | encoded)"
}

# KIND: the digest of the manifest's first layer of that kind
layer() {
  printf %s "$answer" | tr '\n' ' ' | tr '{}' '\n' | grep -F "\"application/vnd.ollama.image.$1\"" |
    grep -o 'sha256:[0-9a-f]\{64\}' | head -n 1
}

# CONFIGURATION: the header of a GGUF file. Few headers are longer than the first part, and hardly one is longer than the second.
# Status 5: a header is longer than a part. A server may ignore the range, so the reader closes the connection. All parts have 8 s.
#   header_rate: bytes a second, where the host's downloads have a limit
read_gguf() {
  [ -n "$base" ] || return 4
  have perl || return 127
  line=$1 address=${1#*\"} end=$(($(date +%s) + 8))
  for most in 65536 8388608 33554432; do
    left=$((end - $(date +%s)))
    [ "$left" -gt 0 ] || return 3
    printf '%s\n' "$line" | curled "$address" --config - --connect-timeout 5 --max-time "$left" --fail \
      ${header_rate:+--limit-rate "$header_rate"} --range "0-$((most - 1))" --user-agent "ollama/$ollama_version" | perl -e "$gguf_header" "$most"
    ended=$?
    [ "$ended" -eq 5 ] || break
  done
  return "$ended"
}

# Through the proxy of Ollama, then without it
headers() {
  said=$(exported && at_most "$most" fetch "$@") && printf '%s\n' "$said" && return 0 || ended=$?
  [ -n "$by_proxy" ] || return "$ended"
  at_most "$most" fetch "$@"
}

# CONFIGURATION OPTION...: download the address in a line of curl's configuration
fetch() {
  line=$1 address=${1#*\"}
  shift
  printf '%s\n' "$line" | curled "$address" --config - --connect-timeout 5 --max-time 8 --max-filesize "$largest" "$@"
}

# git follows redirects to any allowed protocol, and keeps all refs in memory until the last one arrives
remote_refs() {
  ref=${1##* } repository=${1% *}
  GIT_TERMINAL_PROMPT=0 GIT_ALLOW_PROTOCOL=${repository%%:*}
  [ "$GIT_ALLOW_PROTOCOL" != http ] || GIT_ALLOW_PROTOCOL=http:https
  export GIT_TERMINAL_PROMPT GIT_ALLOW_PROTOCOL
  # shellcheck disable=SC3045 # dash, bash and busybox have it
  ulimit -v 524288
  within 8 git ls-remote -- "$repository" "$ref" "$ref^{}"
}

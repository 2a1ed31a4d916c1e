# shellcheck disable=SC2154 # shell.sh sets word
# Ollama: its releases, its process, and the answers of its API.
: "${newline:?}" "${mark:?}" "${patience:?}" "${ollama_url:?}" "${elsewhere?}" "${asked_model?}" "${ollama_container:?}"

read_releases() {
  for marker in /opt/ollama/*/.fleethands; do
    [ -f "$marker" ] || continue
    home=${marker%/.fleethands}
    [ -L "$home" ] && continue
    need stat cat || return $?
    binary=$(stat -c '%s %Y %a %u' "$home/bin/ollama") || binary='- - - -'
    echo "${home##*/} $binary $(cat "$marker")"
  done
}

# STATUS LINES of `show_units`, which begin with those of ollama.service
read_process() {
  need timeout systemctl readlink sed cut head base64 tr || return $?
  [ "$1" = 0 ] || return "$1"
  main_pid "$2"
  case $pid in '' | 0) return 0 ;; esac
  exe=$(readlink "/proc/$pid/exe") || return 0 # ended meanwhile
  # the kernel resolves all symlinks; report the path that the unit has
  if cd -P /opt/ollama; then case $exe in "$PWD"/*) exe=/opt/ollama${exe#"$PWD"} ;; esac fi
  started_at "$pid"
  behind=''
  case $exe in */docker) behind=$(in_container) || return $? ;; esac
  itself=$pid
  if [ -n "$behind" ]; then
    itself=${behind%% *}
    exe=$(readlink "/proc/$itself/exe") || return 0
  fi
  spell "$exe"
  printf '%s\n' "$pid $started $word${behind:+ $behind}"
  joined "$(head -c 131072 "/proc/$itself/environ" | base64)"
  printf '%s\n' "$word"
}

# LINES: the first MainPID of them, in $pid
main_pid() {
  pid=''
  while IFS= read -r each; do
    case $each in MainPID=*) pid=${each#*=} && return 0 ;; esac
  done <<END
$1
END
}

# PID: when it was started, in $started. A process may put line breaks into its name, so the last line counts.
started_at() {
  line=''
  while IFS= read -r each; do line=$each; done <"/proc/$1/stat"
  case $line in *') '*) ;; *) started='' && return 0 ;; esac
  # shellcheck disable=SC2086
  set -- ${line##*) }
  started=${20-}
}

# `PID IMAGE` of Ollama in its container, where Docker's client is the service's process
in_container() {
  found=$(limit docker container inspect --format '{{.State.Pid}} {{.Image}}' "$ollama_container")
  case $? in 124) return 124 ;; 0) case $found in [1-9]*' sha256:'*) printf '%s\n' "$found" ;; esac ;; esac
}

# BYTES ARGUMENT...: the first bytes of an answer of Ollama's API, then a line with curl's status if all of it came
asked() {
  most=$1
  shift
  { curl -q -sS --noproxy '*' --max-time "$patience" --fail "$@"; echo "$newline$?"; } | head -c "$most"
}

read_ollama() {
  need curl head base64 tr || return $?
  if [ -n "$elsewhere" ]; then
    ollama_elsewhere
    return
  fi
  version_and_model
  case $version in
    *"${newline}0") ;;
    *"${newline}7") echo refused && return 0 ;;
    *"${newline}28") return 124 ;;
    *) return 1 ;;
  esac
  [ "${#version}" -lt 65536 ] || return 1
  spell_line "${version%"$newline"*}"
  printf '%s\n' "$word"
  case $body in *"${newline}0") model_told ;; esac
  { [ ! -e /dev/nvidia0 ] && [ ! -e /dev/kfd ] && ! have nvidia-smi && [ ! -e /usr/lib/wsl/lib/nvidia-smi ]; } || models_loaded
}

# The version, and what Ollama reports about the model that OpenHands uses, by one curl: each answer with its status as
# `asked` gives it. A program that starts and loads its libraries costs more than the second answer.
version_and_model() {
  body=''
  if [ -z "$asked_model" ]; then
    version=$(asked 65536 "$ollama_url/api/version")
    return
  fi
  said=$(asked 4259840 --fail-early -w "$newline$mark %{http_code}" "$ollama_url/api/version" \
    --next -sS --noproxy '*' --max-time "$patience" --fail --data "{\"model\":\"$asked_model\"}" "$ollama_url/api/show")
  case $said in
    *"$newline$mark 200"*) version=${said%%"$newline$mark"*}${newline}0 body=$said ;;
    *) version=$said ;;
  esac
}

# An external Ollama: its answer and the connection. No proxy, because none leads into an internal network. The two
# addresses of a connection show whether the host reached itself.
ollama_elsewhere() {
  body=$({
    curl -q -s --noproxy '*' --max-time 5 -w "$newline%{http_code}|%{local_ip}|%{remote_ip}|%{redirect_url}|%{errormsg}" "$ollama_url/api/version"
    echo "$newline$?"
  } | head -c 8192)
  echo "elsewhere $(printf %s "$body" | encoded)"
  case $body in
    '{"version":'*) [ -z "$asked_model" ] || model_shown ;;
    *"${newline}28") way_there ;;
  esac
  true
}

# The host's own address on the route to it
way_there() {
  need getent ip sed || return 0
  address=$(limit getent ahosts "$elsewhere" | sed -n '1s/ .*//p')
  [ -z "$address" ] || limit ip -o route get "$address" | sed -n 's/.* src \([0-9a-f.:]*\).*/from \1/p'
}

# Bytes of each loaded model in a GPU's memory (api/types.go ProcessModelResponse, v0.32.15)
models_loaded() {
  need grep || return $?
  body=$(asked 1048576 "$ollama_url/api/ps")
  case $body in *"${newline}0") ;; *) return 0 ;; esac
  printf %s "$body" | grep -o '"size_vram":[0-9]\{1,15\}' | head -n 100 | tr '":' '  ' | tr -s ' ' | cut -c 2-
}

# Capabilities and context length of the model that OpenHands uses (api/types.go ShowResponse, v0.32.15). Quotes within
# strings are escaped in the answer.
model_shown() {
  need grep || return $?
  body=$(asked 4194304 --data "{\"model\":\"$asked_model\"}" "$ollama_url/api/show")
  case $body in *"${newline}0") model_told ;; esac
}

# grep, because dash takes hours for several words in 4 MiB
model_told() {
  need grep || return $?
  tools='' window=''
  # one expression: with two, busybox finds matches of the first alone
  found=$(printf %s "$body" |
    grep -oE '"capabilities":\[[^]]*\]|"[A-Za-z0-9_.-]*\.context_length":[0-9]{1,15}' | head -n 1000)
  while IFS= read -r each; do
    case $each in
      '"capabilities":'*'"tools"'*) tools=${tools:-yes} ;;
      '"capabilities":'*) tools=${tools:-no} ;;
      *) window=${window:-${each##*:}} ;;
    esac
  done <<END
$found
END
  [ -z "$tools" ] || echo "model $tools ${window:--}"
}

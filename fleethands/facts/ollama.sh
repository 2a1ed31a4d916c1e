# Ollama: its releases, its process, and the answers of its API.
: "${newline:?}" "${patience:?}" "${ollama_url:?}" "${elsewhere?}" "${asked_model?}" "${ollama_container:?}"

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

read_process() {
  need timeout systemctl readlink sed cut head base64 tr || return $?
  pid=$(limit systemctl show ollama.service -p MainPID --value) || return $?
  case $pid in '' | 0) return 0 ;; esac
  exe=$(readlink "/proc/$pid/exe") || return 0 # ended meanwhile
  # the kernel resolves all symlinks; report the path that the unit has
  if cd -P /opt/ollama; then case $exe in "$PWD"/*) exe=/opt/ollama${exe#"$PWD"} ;; esac fi
  started=$(sed -n '$s/.*) //p' "/proc/$pid/stat" | cut -d ' ' -f 20) # a process may put line breaks into its name
  behind=''
  case $exe in */docker) behind=$(in_container) || return $? ;; esac
  itself=$pid
  if [ -n "$behind" ]; then
    itself=${behind%% *}
    exe=$(readlink "/proc/$itself/exe") || return 0
  fi
  echo "$pid $started $(printf %s "$exe" | encoded)${behind:+ $behind}"
  head -c 131072 "/proc/$itself/environ" | encoded
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
  body=$(asked 65536 "$ollama_url/api/version")
  case ${body##*"$newline"} in 0) ;; 7) echo refused && return 0 ;; 28) return 124 ;; *) return 1 ;; esac
  printf %s "${body%"$newline"*}" | encoded
  [ -z "$asked_model" ] || model_shown
  { [ ! -e /dev/nvidia0 ] && [ ! -e /dev/kfd ] && ! have nvidia-smi && [ ! -e /usr/lib/wsl/lib/nvidia-smi ]; } || models_loaded
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
  case $body in *"${newline}0") ;; *) return 0 ;; esac
  listed=$(printf %s "$body" | grep -o '"capabilities":\[[^]]*\]' | head -n 1) # dash takes hours for several words in 4 MiB
  case $listed in '') return 0 ;; *'"tools"'*) tools=yes ;; *) tools=no ;; esac
  window=$(printf %s "$body" | grep -o '"[A-Za-z0-9_.-]*\.context_length":[0-9]\{1,15\}' | head -n 1)
  window=${window##*:}
  echo "model $tools ${window:--}"
}

# Ollama has the model, answers a prompt on the host, and does so with the context and the device that are declared.
: "${apply:?}" "${place:?}" "${restart:?}" "${elsewhere?}" "${model:?}" "${local_url:?}" "${request:?}" "${gpu:?}" "${context?}" "${least:?}" "${openhands:?}" "${tools:?}"

smaller='a smaller model, or a smaller ollama_context_length'
[ -z "$elsewhere" ] || smaller='a smaller model'

# Ollama's list of models (api/types.go ListResponse, v0.32.15), so much of it as counts, with HTTP's and curl's status
tags() {
  {
    curl -q --silent --show-error --noproxy '*' --connect-timeout 10 --max-time 30 --write-out ' HTTP %{http_code}' "$local_url/api/tags" 2>&1 && status=0 || status=$?
    echo " curl $status"
  } | head -c 4194304
}

ollama_lists() {
  link list
  answer=$(tags)
  end=$(printf %s "$answer" | tail -c 400) # of all of it dash would take minutes to find a status that is not there
  status=${end##*" HTTP "}
  case $status in
    *' curl 28')
      case $end$elsewhere in
        *'Operation timed out'* | *'curl 28') breaks "Ollama does not answer within 30 s|$restart" ;;
        *) breaks "$(why 28 "$end")" ;;
      esac
      ;;
    '403 curl 0' | 5??' curl 0') breaks "$(why 0 "${end%" curl 0"}")" ;;
    '200 curl 0') is_listed && return 0 ;;
    *' curl 0') no_ollama ;;
    *' curl '*) breaks "$(why "${status##*" curl "}" "${end%" HTTP "*}")" ;;
    *) breaks "Ollama's list of models is longer than 4 MiB|on the host: curl -sS $local_url/api/tags" ;;
  esac
  return 1
}

# to Ollama the case of a name does not count; quotes within its texts are escaped
is_listed() {
  if printf %s "$answer" | grep -qiF "\"name\":\"$model\""; then
    holds "$model is there${elsewhere:+, at $local_url}"
    return 0
  fi
  case $answer in *'"models":'*) breaks "Ollama has no model $model|${bring_model:-$apply}" ;; *) no_ollama ;; esac
  return 1
}

no_ollama() { breaks "what answers at $local_url is no Ollama|$place: ss -ltnp 'sport = :${port_of_ollama:?}'"; }

# generate WHERE COMMAND…: the prompt gets an answer of at least one token
generate() {
  where=$1
  shift
  answer=$({ "$@" 2>&1 && status=0 || status=$?; echo " ended $status"; } | head -c 1048576)
  case $(printf %s "$answer" | tail -c 20) in
    *' ended '[0-9]*) status=${answer##*' ended '} answer=${answer%' ended '*} ;;
    *) status=63 answer='its answer is longer than 1 MiB' ;; # CURLE_FILESIZE_EXCEEDED
  esac
  tokens=$(printf %s "$answer" | sed -n 's/.*"eval_count":\([0-9]*\).*/\1/p')
  if [ "$status" -eq 0 ] && [ "${tokens:-0}" -gt 0 ]; then
    holds "$tokens tokens from $model"
  else
    breaks "$(why "$status" "$answer" "$where")"
    return 1
  fi
}

# ask URL [OPTIONS]: the host's own proxy has no part in what is local; a container's, as its OpenHands has it, does
ask() { printf "curl ${2:-} --silent --show-error --max-time 600 --connect-timeout 10 --write-out 'HTTP %%{http_code}' --data '%s' %s/api/generate" "$request" "$1"; }

# field NAME: a number of the row that Ollama has of the model in /api/ps (ollama api/types.go, v0.32.15)
field() { printf %s "$row" | sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p"; }

loaded() {
  row=$(curl -q --silent --noproxy '*' --max-time 10 "$local_url/api/ps" | head -c 1048576 | sed 's/{"name":"/\n&/g' | grep -F "{\"name\":\"$model\"" | head -n 1) || true
}

# what the model is: /api/show (ollama api/types.go ShowResponse, v0.32.15); quotes in its texts are escaped there
shown() {
  curl -q --silent --noproxy '*' --max-time 20 --data "{\"model\":\"$model\"}" "$local_url/api/show" | head -c 4194304 || true
}

# the window that the model was loaded with; Ollama takes no larger one than the model was trained for (server/sched.go)
context_holds() {
  link context
  got=$(field context_length)
  [ -n "$row" ] || { holds "not seen: $model had to go right after its answer" && return 0; }
  [ -n "$got" ] || return 0
  trained=$(printf %s "$about" | grep -o '"[A-Za-z0-9_.-]*\.context_length":[0-9]*' | head -n 1)
  trained=${trained##*:}
  short=''
  if [ "$openhands" != no ] && [ "$got" -lt "$least" ]; then short="; OpenHands' own prompt needs $least"; fi
  if [ "$got" -ge "$context" ]; then
    holds "$got tokens$short"
  elif [ "$got" -ge "${trained:-$context}" ]; then
    holds "$got tokens, all that $model was made for$short"
  elif [ -n "$elsewhere" ]; then
    breaks "$(short_elsewhere)"
  elif printf %s "$about" | grep -q '"parameters":"[^"]*num_ctx'; then
    breaks "$model sets its own num_ctx and is loaded with $got tokens, not $context$short|in the inventory: give it a \`modelfile\` with PARAMETER num_ctx $context"
  else
    breaks "$model is loaded with a context of $got tokens, not $context$short|$apply"
  fi
}

# a model without tools answers a ping, and ends every conversation with Ollama's 400
has_tools() {
  link model-tools
  listed=$(printf %s "$about" | grep -o '"capabilities":\[[^]]*\]' | head -n 1)
  case $listed in
    *'"tools"'*) holds "$model takes tools" ;;
    ?*) breaks "$model takes no tools, so Ollama refuses each conversation of this OpenHands (400)|in the inventory: \`openhands_model\`, one of https://ollama.com/search?c=tools" ;;
  esac
}

in_vram() {
  link gpu-carries-model
  size=$(field size) vram=$(field size_vram)
  if [ -z "$row" ]; then
    breaks "$model had to go right after its answer, so nobody saw where it lay|when no other model takes its place, run it again"
  elif [ -n "$vram" ] && [ "$vram" -gt 0 ] && [ "$vram" -eq "${size:-0}" ]; then
    holds "$((vram / 1048576)) MiB of $model in VRAM"
  elif [ "${vram:-0}" -gt 0 ]; then
    breaks "only $((vram / 1048576)) of $((size / 1048576)) MiB of $model fit into VRAM|in the inventory: $smaller"
  else
    breaks "$model is in main memory: $(why_no_gpu)|on the host: journalctl -u ollama --grep 'inference compute'"
  fi
}

# a GPU is there and nobody declared what it is for: that is told, and breaks nothing
where_it_lies() {
  link gpu-memory
  vram=$(field size_vram)
  [ -n "$row" ] || return 0
  if [ "${vram:-0}" -gt 0 ]; then
    holds "$((vram / 1048576)) of $(($(field size) / 1048576)) MiB of $model in VRAM"
  else
    holds "main memory, though there is a GPU: $(why_no_gpu)"
  fi
}

why_no_gpu() {
  if [ ! -e /dev/nvidia0 ] && [ ! -e /dev/kfd ]; then echo 'the host has no GPU device node (/dev/nvidia0, /dev/kfd)'
  elif [ -e /dev/nvidia0 ] && ! said=$(timeout 10 nvidia-smi -L 2>&1); then echo "nvidia-smi fails: $(printf %s "$said" | tail -n 1)"
  elif [ -e /dev/nvidia0 ] && ! ldconfig -p | grep -q 'libcuda\.so\.1'; then echo 'libcuda.so.1 is missing'
  elif [ -e /dev/kfd ] && ! runuser -u ollama -- test -w /dev/kfd 9>&-; then echo 'the user ollama may not use /dev/kfd'
  else echo 'Ollama found no GPU that it can use'
  fi
}

prove_ollama() {
  ollama_lists || finish
  link generate-on-host
  generate '' sh -c "$(ask "$local_url" "-q --noproxy '*'")" || finish
  loaded
  about=$(shown)
  [ -z "$context" ] || context_holds
  [ "$tools" = no ] || has_tools
  case $gpu in yes) in_vram ;; seen) where_it_lies ;; esac
}

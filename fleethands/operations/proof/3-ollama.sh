# Checks that Ollama has the model, and answers a prompt on the host with the declared context and device.
#   model, local_url: to ask; request: the prompt as JSON
#   gpu: `yes` if a GPU must carry the model, `seen` if the host has one, `no`
#   context: tokens that the model must be loaded with; least: tokens that OpenHands' own prompt needs
#   openhands: `container`, `service` or `no`; tools: yes if the model must take tools
: "${apply:?}" "${place:?}" "${restart:?}" "${elsewhere?}" "${model:?}" "${local_url:?}" "${request:?}" "${gpu:?}" "${context?}" "${least:?}" "${openhands:?}" "${tools:?}"

smaller='a smaller model, or a smaller ollama_context_length'
[ -z "$elsewhere" ] || smaller='a smaller model'

# get_models: prints Ollama's list of models (api/types.go ListResponse, v0.32.15), at most 4 MiB, with the status of HTTP and curl
get_models() {
  {
    curl -q --silent --show-error --noproxy '*' --connect-timeout 10 --max-time 30 --write-out ' HTTP %{http_code}' "$local_url/api/tags" 2>&1 && status=0 || status=$?
    echo " curl $status"
  } | head -c 4194304
}

prove_list() {
  begin_link list
  answer=$(get_models)
  end=$(printf %s "$answer" | tail -c 400) # dash would need minutes to search the whole answer for a status
  status=${end##*" HTTP "}
  case $status in
    *' curl 28')
      case $end$elsewhere in
        *'Operation timed out'* | *'curl 28') breaks "Ollama does not answer within 30 s|$restart" ;;
        *) breaks "$(explain 28 "$end")" ;;
      esac
      ;;
    '403 curl 0' | 5??' curl 0') breaks "$(explain 0 "${end%" curl 0"}")" ;;
    '200 curl 0') find_model && return 0 ;;
    *' curl 0') fail_other_server ;;
    *' curl '*) breaks "$(explain "${status##*" curl "}" "${end%" HTTP "*}")" ;;
    *) breaks "Ollama's list of models is longer than 4 MiB|on the host: curl -sS $local_url/api/tags" ;;
  esac
  return 1
}

# Ollama ignores the case of a name, and escapes quotes inside texts
find_model() {
  if printf %s "$answer" | grep -qiF "\"name\":\"$model\""; then
    holds "$model is there${elsewhere:+, at $local_url}"
    return 0
  fi
  case $answer in *'"models":'*) breaks "Ollama has no model $model|${bring_model:-$apply}" ;; *) fail_other_server ;; esac
  return 1
}

fail_other_server() { breaks "what answers at $local_url is no Ollama|$place: ss -ltnp 'sport = :${port_of_ollama:?}'"; }

# prove_answer WHERE COMMAND…: the prompt gets an answer of at least one token
prove_answer() {
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
    breaks "$(explain "$status" "$answer" "$where")"
    return 1
  fi
}

# curl_command URL [OPTIONS]: prints the command that sends the prompt. The host uses no proxy. A container uses its own, as
# OpenHands does.
curl_command() { printf "curl ${2:-} --silent --show-error --max-time 600 --connect-timeout 10 --write-out 'HTTP %%{http_code}' --data '%s' %s/api/generate" "$request" "$1"; }

# model_field NAME: prints a number of the row of the model in /api/ps (ollama api/types.go, v0.32.15)
model_field() { printf %s "$row" | sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p"; }

read_loaded_model() {
  row=$(curl -q --silent --noproxy '*' --max-time 10 "$local_url/api/ps" | head -c 1048576 | sed 's/{"name":"/\n&/g' | grep -F "{\"name\":\"$model\"" | head -n 1) || true
}

# show_model: /api/show (ollama api/types.go ShowResponse, v0.32.15), which escapes quotes inside texts
show_model() {
  curl -q --silent --noproxy '*' --max-time 20 --data "{\"model\":\"$model\"}" "$local_url/api/show" | head -c 4194304 || true
}

# prove_context: Ollama loads a model with no more tokens than it was trained for (server/sched.go)
prove_context() {
  begin_link context
  got=$(model_field context_length)
  [ -n "$row" ] || { holds "unknown: Ollama unloaded $model right after its answer" && return 0; }
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
    breaks "$(explain_external_context)"
  elif printf %s "$about" | grep -q '"parameters":"[^"]*num_ctx'; then
    breaks "$model sets its own num_ctx and is loaded with $got tokens, not $context$short|in the inventory: give it a \`modelfile\` with PARAMETER num_ctx $context"
  else
    breaks "$model is loaded with a context of $got tokens, not $context$short|$apply"
  fi
}

# prove_tools: a model without tools answers a prompt, but Ollama rejects every conversation with it (400)
prove_tools() {
  begin_link model-tools
  listed=$(printf %s "$about" | grep -o '"capabilities":\[[^]]*\]' | head -n 1)
  case $listed in
    *'"tools"'*) holds "$model takes tools" ;;
    ?*) breaks "$model takes no tools, so Ollama refuses each conversation of this OpenHands (400)|in the inventory: \`openhands_model\`, one of https://ollama.com/search?c=tools" ;;
  esac
}

prove_vram() {
  begin_link gpu-carries-model
  size=$(model_field size) vram=$(model_field size_vram)
  if [ -z "$row" ]; then
    breaks "Ollama unloaded $model right after its answer, so its place in memory is unknown|when no other model takes its place, run it again"
  elif [ -n "$vram" ] && [ "$vram" -gt 0 ] && [ "$vram" -eq "${size:-0}" ]; then
    holds "$((vram / 1048576)) MiB of $model in VRAM"
  elif [ "${vram:-0}" -gt 0 ]; then
    breaks "only $((vram / 1048576)) of $((size / 1048576)) MiB of $model fit into VRAM|in the inventory: $smaller"
  else
    breaks "$model is in main memory: $(why_no_gpu)|on the host: journalctl -u ollama --grep 'inference compute'"
  fi
}

# report_memory: if the host has a GPU and `gpu` is not declared, a model in main memory is reported, and breaks nothing
report_memory() {
  begin_link gpu-memory
  vram=$(model_field size_vram)
  [ -n "$row" ] || return 0
  if [ "${vram:-0}" -gt 0 ]; then
    holds "$((vram / 1048576)) of $(($(model_field size) / 1048576)) MiB of $model in VRAM"
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
  prove_list || finish
  read_loaded_model
  loaded=$row
  begin_link generate-on-host
  prove_answer '' sh -c "$(curl_command "$local_url" "-q --noproxy '*'")" || finish
  read_first_answer "$loaded"
  read_loaded_model
  about=$(show_model)
  [ -z "$context" ] || prove_context
  [ "$tools" = no ] || prove_tools
  case $gpu in yes) prove_vram ;; seen) report_memory ;; esac
}

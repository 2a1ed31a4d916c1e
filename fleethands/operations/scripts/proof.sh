# Uses the service along its whole way, link by link, and writes down what it saw. Leaves no container behind.
: "${model:?}" "${request:?}" "${local_url:?}" "${container_url:?}" "${openhands:?}" "${container:?}" "${image?}" "${wanted?}" \
  "${ready_url?}" "${settings_url?}" "${record:?}" "${limit:?}" "${gpu:?}" "${key_file?}" "${validation?}" "${validate_url?}"
seen=''
broken=0
tab=$(printf '\t')

note() { # LINK ok|broken MILLISECONDS DETAIL [HINT]
  seen="$seen$1$tab$2$tab$3$tab$4$tab${5:-}
"
  [ "$2" = ok ] && return 0
  broken=$((broken + 1))
  printf 'error: %s: %s\n' "$1" "$4" >&2
  printf 'hint: %s\n' "$5" >&2
}

now() { date +%s%3N; }

# why STATUS OF CURL, ANSWER: the cause in words, then the next command
why() {
  case $1 in
    6) echo "the name host.docker.internal is unknown there|docker inspect $container --format '{{.HostConfig.ExtraHosts}}'" ;;
    7) echo "connection refused: Ollama does not listen where containers look|systemctl show ollama -p Environment; ss -ltn 'sport = :11434'" ;;
    28) echo "no answer in time: a firewall drops it, or the model is still loading|nft list ruleset; journalctl -u ollama -n 20" ;;
    *) case $2 in
      *'not found'*) echo "Ollama has no model $model|ollama pull $model" ;;
      *403*) echo "Ollama refuses the request (403)|systemctl show ollama -p Environment" ;;
      *) echo "no answer to the prompt: $(printf %s "$2" | tail -c 200 | tr '\n\t' '  ') (curl: $1)|journalctl -u ollama -n 20" ;;
    esac ;;
  esac
}

# generate LINK COMMAND…: the prompt gets an answer of at least one token
generate() {
  link=$1
  shift
  begin=$(now)
  answer=$("$@" 2>&1) && status=0 || status=$?
  took=$(($(now) - begin))
  tokens=$(printf %s "$answer" | sed -n 's/.*"eval_count":\([0-9]*\).*/\1/p')
  if [ "$status" -eq 0 ] && [ "${tokens:-0}" -gt 0 ]; then
    note "$link" ok "$took" "$tokens tokens from $model"
  else
    cause=$(why "$status" "$answer")
    note "$link" broken "$took" "${cause%%|*}" "on the host: ${cause#*|}"
  fi
}

ask() { printf 'curl --silent --show-error --max-time 600 --connect-timeout 10 --data %s %s/api/generate' "'$request'" "$1"; }

# after a boot, or a restart of Docker, the container is up long before what is in it
ready() {
  end=$(($(date +%s) + limit))
  until curl --silent --fail --output /dev/null --max-time 5 "$ready_url"; do
    [ "$(docker container inspect --format '{{.State.Running}}' "$container" 2>/dev/null)" = true ] || return 1
    [ "$(date +%s)" -lt "$end" ] || return 1
    sleep 0.2
  done
}

# field NAME: a number of the row that Ollama has of the model in /api/ps (ollama api/types.go, v0.32.15)
field() { printf %s "$row" | sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p"; }

# what OpenHands answers; where it wants a key, that comes by standard input, as a command line can be read by everybody
openhands_says() {
  if [ -n "$key_file" ]; then
    sed -n 's/^LOCAL_BACKEND_API_KEY=\(.*\)$/header = "X-Session-API-Key: \1"/p' "$key_file"
  fi | curl --config - --silent --show-error --max-time 180 "$@" 2>&1
}

in_vram() {
  begin=$(now)
  row=$(curl --silent --max-time 10 "$local_url/api/ps" | sed 's/{"name":"/\n&/g' | grep -F "{\"name\":\"$model\"" | head -n 1) || true
  size=$(field size) vram=$(field size_vram)
  took=$(($(now) - begin))
  if [ -n "$vram" ] && [ "$vram" -gt 0 ] && [ "$vram" -eq "${size:-0}" ]; then
    note gpu-carries-model ok "$took" "$((vram / 1048576)) MiB of $model in VRAM"
  elif [ "${vram:-0}" -gt 0 ]; then
    note gpu-carries-model broken "$took" "only $((vram / 1048576)) of $((size / 1048576)) MiB of $model fit into VRAM" \
      "a smaller model, or a smaller ollama_context_length"
  else
    note gpu-carries-model broken "$took" "$model lies in main memory: $(why_no_gpu)" "on the host: journalctl -u ollama | grep -i 'inference compute'"
  fi
}

why_no_gpu() {
  if [ ! -e /dev/nvidia0 ] && [ ! -e /dev/kfd ]; then echo 'the host has no GPU device node (/dev/nvidia0, /dev/kfd)'
  elif [ -e /dev/nvidia0 ] && ! said=$(timeout 10 nvidia-smi -L 2>&1); then echo "nvidia-smi fails: $(printf %s "$said" | tail -n 1)"
  elif [ -e /dev/nvidia0 ] && ! ldconfig -p | grep -q 'libcuda\.so\.1'; then echo 'libcuda.so.1 is missing'
  elif [ -e /dev/kfd ] && ! runuser -u ollama -- test -w /dev/kfd; then echo 'the user ollama may not use /dev/kfd'
  else echo 'Ollama found no GPU that it can use'
  fi
}

begin=$(now)
if OLLAMA_HOST=${local_url#http://} HOME=/root timeout 30 ollama list 2>/dev/null | awk -v name="$model" 'tolower($1) == tolower(name) { found = 1 } END { exit !found }'; then
  note list ok $(($(now) - begin)) "$model is there"
else
  note list broken $(($(now) - begin)) "ollama list does not name $model" "on the host: ollama list"
fi

generate generate-on-host sh -c "$(ask "$local_url")"
if [ "$gpu" = yes ]; then in_vram; fi
if [ "$openhands" = yes ]; then
  generate generate-in-openhands docker exec "$container" sh -c "$(ask "$container_url")"
  generate generate-in-container docker run --rm --add-host host.docker.internal:host-gateway --entrypoint sh "$image" -c "$(ask "$container_url")"

  begin=$(now)
  if ready; then
    note openhands-answers ok $(($(now) - begin)) "$ready_url"
  else
    note openhands-answers broken $(($(now) - begin)) "OpenHands does not answer at $ready_url" "on the host: docker logs --tail 50 $container"
  fi

  begin=$(now)
  answer=$(openhands_says "$settings_url") || true
  case $answer in
    *"\"$wanted\""*) note openhands-model ok $(($(now) - begin)) "$wanted is chosen" ;;
    *) note openhands-model broken $(($(now) - begin)) "OpenHands does not have $wanted chosen" "on the host: curl $settings_url" ;;
  esac

  if [ -n "$validation" ]; then
    begin=$(now)
    answer=$(openhands_says --header 'Content-Type: application/json' --data "$validation" "$validate_url") || true
    case $answer in
      *'"valid":true'*) note openhands-asks-model ok $(($(now) - begin)) "its own call to $wanted was answered" ;;
      *) note openhands-asks-model broken $(($(now) - begin)) \
        "OpenHands gets no answer from $wanted: $(printf %s "$answer" | tail -c 200 | tr '\n\t' '  ')" "on the host: docker logs --tail 50 $container" ;;
    esac
  fi
fi

printf '%s' "$seen" | atomic_file "$record" 0644 root:root
printf '%s' "$seen"
if [ "$broken" -eq 0 ]; then
  container_settled "$container"
elif container_back "$container"; then
  echo "error: the container before it serves again" >&2
fi
[ "$broken" -eq 0 ] || stop

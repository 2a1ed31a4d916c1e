# A conversation, begun as a person begins one: its agent's call arrives at Ollama and is answered, by Ollama's log of
# requests and by OpenHands' own word where its version has one. It is removed afterwards.
: "${deep:?}" "${model:?}" "${generation:?}" "${page:?}" "${container:?}" "${key_file?}"
TALK_WITHIN=900 # seconds: a sandbox starts, and a model without a GPU reads the agent's own prompt of some 9,000 tokens
: "${words:?}" "${talks:?}" "${openhands:?}" "${elsewhere?}"

tell() { openhands_says --header 'Content-Type: application/json' "$@"; } # OPTION… URL
text_of() { printf %s "$2" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" | head -n 1; } # NAME JSON

converses() {
  link conversation
  from=$(date +%s) begun_at=$(date +%s.%6N)
  talk='' trouble='' state=''
  "begin_$generation"
  while [ -z "$trouble" ]; do
    "look_$generation"
    case $state in finished | awaiting_user_input) heard && break ;; error | stuck) trouble="its agent ended as $state" ;; esac
    [ "$(date +%s)" -lt $((from + TALK_WITHIN)) ] || trouble="its agent got no answer within $TALK_WITHIN s${state:+, it is $state}"
    sleep 0.5
  done
  "end_$generation" || true
  if [ -n "$trouble" ]; then breaks "$(printf %s "$trouble" | tr '|' ' ')|$words"; else holds "its agent asked $model, was answered and is $state"; fi
}

# gin's line of each request that was answered; the host's own count where OpenHands is one of its services
heard() {
  if [ -n "$elsewhere" ]; then
    said_by_agent
    return
  fi
  theirs=' (127\.0\.0\.1|::1) '
  [ "$openhands" = container ] || theirs='^$'
  journalctl -u ollama --since "@$begun_at" -o cat --no-pager |
    grep -F '"/v1/chat/completions"' | grep -vE "$theirs" | grep -qE '\| 200 \|'
}

# no log of Ollama's is on this host: what its agent said stands for it; before anything is asked, V0 waits for its user too
said_by_agent() {
  [ "$generation" != v0 ] || tell "$page/api/conversations/$talk/events?limit=20&reverse=true" |
    grep -o '"source":"agent","message":"[^"]*","action":"message"' | grep -q .
}

begun() { # ID ANSWER
  talk=$1
  [ -n "$talk" ] || trouble="no conversation is begun: $(flat "$2")"
}

# openhands/server/routes/manage_conversations.py, 0.62.0
begin_v0() {
  answer=$(tell --data '{"initial_user_msg":"Say OK."}' "$page/api/conversations") || true
  begun "$(text_of conversation_id "$answer")" "$answer"
}
look_v0() {
  state=$(tell "$page/api/conversations/$talk/events?limit=20&reverse=true" | grep -o '"agent_state":"[a-z_]*"' | head -n 1 | cut -d '"' -f 4)
}
# to delete it this version asks its sandboxes' image too, which a host may not have
end_v0() {
  tell --request POST "$page/api/conversations/$talk/stop" >/dev/null
  tell --request DELETE "$page/api/conversations/$talk" >/dev/null
  case $talk in '' | *[!0-9a-f]*) ;; *) as_its_owner rm -rf "$talks/$talk" ;; esac
}

as_its_owner() {
  who=$(container_label "$container" users)
  if [ "$openhands" = container ]; then docker exec --user "${who% *}" "$container" "$@"; else as_user 60 "$@"; fi
}

# openhands/app_server/app_conversation/app_conversation_router.py, 1.11.0: a task first, then the conversation
begin_v1() {
  answer=$(tell --data '{"initial_message":{"content":[{"type":"text","text":"Say OK."}]}}' "$page/api/v1/app-conversations") || true
  task=$(text_of id "$answer") sandbox=''
  [ -n "$task" ] || trouble="no conversation is begun: $(flat "$answer")"
}
look_v1() {
  answer=$(tell "$page/api/v1/app-conversations/start-tasks?ids=$task") || true
  state=$(text_of status "$answer")
  talk=$(text_of app_conversation_id "$answer") sandbox=$(text_of sandbox_id "$answer")
  case $state in
    ERROR) trouble="its sandbox does not start: $(text_of detail "$answer")" ;;
    READY) state=$(text_of execution_status "$(tell "$page/api/v1/app-conversations?ids=$talk")") ;;
  esac
}
end_v1() {
  look_v1
  [ -z "$talk" ] || tell --request DELETE "$page/api/v1/app-conversations/$talk" >/dev/null
  [ -z "$sandbox" ] || tell --request DELETE "$page/api/v1/sandboxes/$sandbox?sandbox_id=$sandbox" >/dev/null
}

# agent-server 1.44, /api/conversations
begin_canvas() {
  profile=$(text_of active_agent_profile_id "$(tell "$page/api/agent-profiles")")
  message='{"role":"user","content":[{"type":"text","text":"Say OK."}],"run":true}'
  answer=$(tell --data "{\"agent_profile_id\":\"$profile\",\"workspace\":{\"working_dir\":\"/tmp/fleethands-proof\"},\"initial_message\":$message}" \
    "$page/api/conversations") || true
  begun "$(printf %s "$answer" | sed -n 's/^{"id":"\([^"]*\)".*/\1/p')" "$answer"
}
look_canvas() { state=$(text_of execution_status "$(tell "$page/api/conversations/$talk")"); }
end_canvas() {
  tell --request DELETE "$page/api/conversations/$talk" >/dev/null
  inside rm -rf /tmp/fleethands-proof
}

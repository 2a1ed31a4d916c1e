# Holds a conversation by OpenHands' API: the call of its agent arrives at Ollama and is answered. Ollama's log of requests shows
# that, or the messages of the agent. The conversation is removed afterwards.
#   generation: of the API; page: its address; talks: directory of conversations; words: what prints OpenHands' log
: "${deep:?}" "${model:?}" "${generation:?}" "${page:?}" "${container:?}" "${key_file?}"
TALK_WITHIN=900 # seconds: a sandbox starts, and a model on the CPU reads the agent's own prompt of some 9,000 tokens
: "${words:?}" "${talks:?}" "${openhands:?}" "${elsewhere?}"

call_api() { call_openhands --header 'Content-Type: application/json' "$@"; } # OPTION… URL
json_text() { printf %s "$2" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" | head -n 1; } # NAME JSON

prove_conversation() {
  begin_link conversation
  from=$(date +%s) begun_at=$(date +%s.%6N)
  talk='' trouble='' state=''
  "begin_$generation"
  while [ -z "$trouble" ]; do
    "look_$generation"
    case $state in finished | awaiting_user_input) was_asked && break ;; error | stuck) trouble="its agent ended as $state" ;; esac
    [ "$(date +%s)" -lt $((from + TALK_WITHIN)) ] || trouble="its agent got no answer within $TALK_WITHIN s${state:+, it is $state}"
    sleep 0.5
  done
  "end_$generation" || true
  if [ -n "$trouble" ]; then breaks "$(printf %s "$trouble" | tr '|' ' ')|$words"; else holds "its agent asked $model, was answered and is $state"; fi
}

# was_asked: gin logs each request. Those of the host itself count only if OpenHands is a service of the host.
was_asked() {
  if [ -n "$elsewhere" ]; then
    agent_has_spoken
    return
  fi
  theirs=' (127\.0\.0\.1|::1) '
  [ "$openhands" = container ] || theirs='^$'
  journalctl -u ollama --since "@$begun_at" -o cat --no-pager |
    grep -F '"/v1/chat/completions"' | grep -vE "$theirs" | grep -qE '\| 200 \|'
}

# agent_has_spoken: an external Ollama has no log on this host, so a message of the agent counts. V0 waits for its user even before
# a question, so its state does not count.
agent_has_spoken() {
  [ "$generation" != v0 ] || call_api "$page/api/conversations/$talk/events?limit=20&reverse=true" |
    grep -o '"source":"agent","message":"[^"]*","action":"message"' | grep -q .
}

check_begun() { # ID ANSWER
  talk=$1
  [ -n "$talk" ] || trouble="no conversation is begun: $(one_line "$2")"
}

# openhands/server/routes/manage_conversations.py, 0.62.0
begin_v0() {
  answer=$(call_api --data '{"initial_user_msg":"Say OK."}' "$page/api/conversations") || true
  check_begun "$(json_text conversation_id "$answer")" "$answer"
}
look_v0() {
  state=$(call_api "$page/api/conversations/$talk/events?limit=20&reverse=true" | grep -o '"agent_state":"[a-z_]*"' | head -n 1 | cut -d '"' -f 4)
}
# to delete a conversation, this version needs the image of its sandboxes too, which a host may not have
end_v0() {
  call_api --request POST "$page/api/conversations/$talk/stop" >/dev/null
  call_api --request DELETE "$page/api/conversations/$talk" >/dev/null
  case $talk in '' | *[!0-9a-f]*) ;; *) run_as_owner rm -rf "$talks/$talk" ;; esac
}

run_as_owner() {
  who=$(container_label "$container" users)
  if [ "$openhands" = container ]; then docker exec --user "${who% *}" "$container" "$@"; else as_user 60 "$@"; fi
}

# openhands/app_server/app_conversation/app_conversation_router.py, 1.11.0: a task first, then the conversation
begin_v1() {
  answer=$(call_api --data '{"initial_message":{"content":[{"type":"text","text":"Say OK."}]}}' "$page/api/v1/app-conversations") || true
  task=$(json_text id "$answer") sandbox=''
  [ -n "$task" ] || trouble="no conversation is begun: $(one_line "$answer")"
}
look_v1() {
  answer=$(call_api "$page/api/v1/app-conversations/start-tasks?ids=$task") || true
  state=$(json_text status "$answer")
  talk=$(json_text app_conversation_id "$answer") sandbox=$(json_text sandbox_id "$answer")
  case $state in
    ERROR) trouble="its sandbox does not start: $(json_text detail "$answer")" ;;
    READY) state=$(json_text execution_status "$(call_api "$page/api/v1/app-conversations?ids=$talk")") ;;
  esac
}
end_v1() {
  look_v1
  [ -z "$talk" ] || call_api --request DELETE "$page/api/v1/app-conversations/$talk" >/dev/null
  [ -z "$sandbox" ] || call_api --request DELETE "$page/api/v1/sandboxes/$sandbox?sandbox_id=$sandbox" >/dev/null
}

# agent-server 1.44, /api/conversations
begin_canvas() {
  profile=$(json_text active_agent_profile_id "$(call_api "$page/api/agent-profiles")")
  message='{"role":"user","content":[{"type":"text","text":"Say OK."}],"run":true}'
  answer=$(call_api --data "{\"agent_profile_id\":\"$profile\",\"workspace\":{\"working_dir\":\"/tmp/fleethands-proof\"},\"initial_message\":$message}" \
    "$page/api/conversations") || true
  check_begun "$(printf %s "$answer" | sed -n 's/^{"id":"\([^"]*\)".*/\1/p')" "$answer"
}
look_canvas() { state=$(json_text execution_status "$(call_api "$page/api/conversations/$talk")"); }
end_canvas() {
  call_api --request DELETE "$page/api/conversations/$talk" >/dev/null
  inside rm -rf /tmp/fleethands-proof
}

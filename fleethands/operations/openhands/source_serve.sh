# Starts OpenHands as a service of this unit. The previous container or unit is stopped and kept until this one is proven
# (proof/1-record.sh). If this one does not get ready, the previous one is restored.
#   environment, config: contents of its file of variables and of config.toml, empty if none is read
#   started: file with the revision that the unit last started
#   own: directories that are handed over to `user`, one a line; nested: one in its home, which the user creates itself
#   adopt: yes if a foreign container of OpenHands' name is to be replaced
: "${unit:?}" "${text:?}" "${environment?}" "${config?}" "${url:?}" "${limit:?}" "${container:?}" "${key_file?}" "${previous_unit:?}" "${service_environment:?}" "${service_config:?}" "${started:?}"
: "${user:?}" "${own:?}" "${nested?}" "${adopt:?}" "${handover_error?}" "${handover_hint?}"

await_ready() {
  end=$(($(date +%s) + limit))
  until curl -q --silent --noproxy '*' --output /dev/null --fail --max-time 5 "$url"; do
    [ "$(date +%s)" -lt "$end" ] && [ "$(systemctl show openhands.service -p NRestarts --value)" -lt 3 ] || return 1
    sleep 0.2
  done
}

# the user creates the nested directory itself, because its home may be full of symlinks
hand_over_directories() {
  while IFS= read -r place; do hand_over "$place" "$(numbers_of "$user")" || return; done <<END
$own
END
  handover_error="$user cannot write in $nested" handover_hint="see what is there, on the host: ls -ld '$nested'"
  # shellcheck disable=SC2016
  [ -z "$nested" ] || as_owner "$(numbers_of "$user")" 60 sh -c 'rmdir "$1"; mkdir -p -m 0700 "$1" && [ -w "$1" ]' sh "$nested" 2>/dev/null
}

[ "$adopt" = no ] || require_free_adopted_name "$container"
ensure_canvas_key "$key_file"
set_container_aside "$container"
if is_own_service && ! has_previous_openhands "$container"; then keep_service; fi
rm -f "$started" # if this run is killed before the restart, the next one restarts even an unchanged unit
! is_own_service || systemctl stop openhands.service
hand_over_directories || restore_and_fail "$container" "$handover_error" "$handover_hint"
printf %s "$environment" | atomic_file "$service_environment" 0600 root:root
[ -z "$config" ] || printf %s "$config" | atomic_file "$service_config" 0644 root:root
printf %s "$text" | atomic_file "$unit" 0644 root:root
systemctl daemon-reload
systemctl enable --quiet openhands.service
systemctl reset-failed openhands.service 2>/dev/null || true
since=$(date +%s)
systemctl restart openhands.service || true
await_ready && exit 0
echo 'last lines of its journal:' >&2
journalctl -u openhands.service --since "@$since" -n 30 -o cat --no-pager >&2 || true
restore_and_fail "$container" "openhands.service does not get ready within $limit s"

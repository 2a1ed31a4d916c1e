# Gets the certificate of the gateway by ACME, and installs the timer that renews it.
#   renew, unit, timer, trust: texts of files, and renew_path … trust_path where they go; folder: of the first and the last; service: the gateway
: "${renew:?}" "${unit:?}" "${timer:?}" "${trust?}" "${renew_path:?}" "${unit_path:?}" "${timer_path:?}" "${trust_path:?}" "${folder:?}" "${service:?}"
install -d -m 0700 -o root -g root "$folder"
printf %s "$trust" | atomic_file "$trust_path" 0600 root:root
# the timer has the earlier script until the authority has issued the certificate
printf %s "$renew" | atomic_file "$renew_path.next" 0600 root:root
status=0
sh "$renew_path.next" install 9>&- || status=$?
if [ "$status" -ne 0 ]; then
  rm -f "$renew_path.next"
  # tokens that were revoked in this run must not wait for the authority
  systemctl try-reload-or-restart "$service" 2>/dev/null || true
  [ "$status" -ne 3 ] || stop
  fail "the gateway gets no certificate: its script ended with status $status" "on the host: ls $folder/certbot/logs"
fi
mv -fT "$renew_path.next" "$renew_path"
printf %s "$unit" | atomic_file "$unit_path" 0644 root:root
printf %s "$timer" | atomic_file "$timer_path" 0644 root:root
systemctl daemon-reload
systemctl enable --quiet fleethands-gateway-renew.timer
systemctl restart fleethands-gateway-renew.timer

# Removes one model. Blobs that other models use stay.
: "${name:?}" "${request:?}" "${url:?}"
said=$(printf %s "$request" | curl -q --silent --noproxy '*' --show-error --max-time 60 --request DELETE --data @- "$url/api/delete" 2>&1) ||
  fail "cannot remove $name: $said" 'on the host: systemctl status ollama'
case $said in
  *'not found'*) ;; # removed in the meantime
  *'"error"'*) fail "cannot remove $name: $said" "on the host: curl -X DELETE $url/api/delete -d '$request'" ;;
esac

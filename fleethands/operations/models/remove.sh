# Removes one model; what of it other models use stays.
: "${name:?}" "${request:?}" "${url:?}"
said=$(printf %s "$request" | curl -q --silent --noproxy '*' --show-error --max-time 60 --request DELETE --data @- "$url/api/delete" 2>&1) ||
  fail "cannot remove $name: $said" 'on the host: systemctl status ollama'
case $said in
  *'not found'*) ;; # somebody was faster
  *'"error"'*) fail "cannot remove $name: $said" "on the host: curl -X DELETE $url/api/delete -d '$request'" ;;
esac

# Gives a model on the host a second name. Nothing is downloaded.
: "${name:?}" "${request:?}" "${url:?}"
said=$(printf %s "$request" | curl -q --silent --noproxy '*' --show-error --max-time 60 --data @- "$url/api/copy" 2>&1) ||
  fail "cannot copy to $name: $said" 'on the host: systemctl status ollama'
case $said in *'"error"'*) fail "cannot copy to $name: $said" "on the host: curl -s $url/api/tags" ;; esac

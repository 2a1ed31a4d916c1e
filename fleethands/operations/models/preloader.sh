# Run by fleethands-preload.service: asks the Ollama that just started to load each model, and notes what it loaded.
: "${models:?}" "${url:?}" "${record:?}"
fail() {
  echo "error: $1" >&2
  exit 1
}
mkdir -p "${record%/*}"
rm -f "$record"
curl -q --silent --noproxy '*' --show-error --fail --output /dev/null --retry 90 --retry-connrefused --retry-delay 1 "$url/api/version" ||
  fail "Ollama does not answer at $url"
pid=$(systemctl show ollama.service -p MainPID --value)
started=$(sed 's/.*) //' "/proc/$pid/stat" | cut -d ' ' -f 20)
echo "process $pid $started" >"$record.part"
while IFS='|' read -r name request manifest; do
  said=$(printf %s "$request" | curl -q --silent --noproxy '*' --show-error --max-time 1800 --data @- "$url/api/generate" 2>&1)
  case $said in
    *'"error"'*'does not support generate'*)
      said=$(printf %s "$request" | curl -q --silent --noproxy '*' --show-error --max-time 1800 --data @- "$url/api/embed" 2>&1) ;;
  esac
  case $said in
    *'"error"'* | '' | curl:*) fail "cannot load $name: $said" ;;
  esac
  echo "loaded $(read_as "$(numbers_of ollama)" "$(spelled "$manifest")" | sha256sum | cut -d ' ' -f 1) $name" >>"$record.part"
done <<END
$models
END
mv "$record.part" "$record"

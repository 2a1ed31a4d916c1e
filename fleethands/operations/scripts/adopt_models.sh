# Models that another account wrote become those of the service's user; links in it are not followed.
: "${path:?}"
[ -d "$path" ] || exit 0
adopting "owner $(stat -c %U:%G "$path") $path"
chown -Rh ollama:ollama "$path"

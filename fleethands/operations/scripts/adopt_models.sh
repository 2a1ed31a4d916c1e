# Models that another account wrote become those of the service's user; links in it are not followed.
: "${path:?}"
if [ -d "$path" ]; then chown -Rh ollama:ollama "$path"; fi

# Takes our container away; what it wrote into its directories stays.
: "${name:?}"
docker stop --time 15 "$name" >/dev/null
docker rm "$name" >/dev/null

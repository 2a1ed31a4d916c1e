# shellcheck disable=SC2034,SC2154  # the parts are one script
# left by an interrupted run
end_unit fleethands-build
end_rehearsal
# another run may have built it while this one waited
case $(cat "$root/.fleethands" 2>/dev/null) in "$recipe $moved"*) exit 0 ;; esac
place=$(dirname "$root")
mark_managed directory "$place"
mkdir -p "$place"
remove_partial_builds
make_builder
rm -rf "$work"
remove_at_end "$work"
install -d -m 0700 "$work"
build=$(mktemp -d "$root.XXXXXX")
unfinished=$build
chmod 755 "$build"
printf '%s' "$builder_script" | atomic_file "$build/builder.sh" 0644 root:root
mkdir "$build/bin"
for name in node npm npx; do ln -s "$build/tools/node/bin/$name" "$build/bin/$name"; done
ln -s "$build/tools/bin/uv" "$build/bin/uv"
[ "$kind" != v0 ] || ln -s "$build/poetry/bin/poetry" "$build/bin/poetry"
# ssh: and file: repositories are fetched by the service's user, who may have access that the builder has not
case $repo in ssh:* | file:*) build_as "$user" fetch "$build/fetched" && give_tree "$build/fetched" "$(id -u "$user")" "$(numbers_of "$builder")" ;; esac
build_as "$builder" build "$build/home" "$build/checkout" "$build/tools" "$build/canvas" "$build/python" "$build/poetry"
read_result
take_over
if [ "$kind" = v0 ]; then v0_runs; else canvas_runs; fi
rehearse
rm -f "$build/builder.sh"
echo "$recipe $commit" | atomic_file "$build/.fleethands" 0644 root:root
require_lock_token
unfinished=''
# the current build is kept until the new one is proven
[ ! -L "$root" ] || [ -L "$root.before" ] || cp -PT --remove-destination "$root" "$root.before"
ln -sfn "$build" "$root.new"
mv -fT "$root.new" "$root"

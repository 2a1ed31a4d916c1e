# shellcheck disable=SC2034,SC2154  # the parts are one script
# a run before this one may have built it while this one waited
case $(cat "$root/.fleethands" 2>/dev/null) in "$recipe $moved"*) exit 0 ;; esac
end_rehearsal
place=$(dirname "$root")
made directory "$place"
mkdir -p "$place"
source_half_built
build=$(mktemp -d "$root.XXXXXX")
chmod 755 "$build"
commit=$ref
install -d -o "$user" -g "$user" "$build/home"
install -d -m 1777 "$build/tmp" # npm, uv and node leave files in it
TMPDIR=$build/tmp
export TMPDIR
if [ -n "$repo" ]; then
  checkout
  is_expected
fi
tools
if [ "$kind" = v0 ]; then
  makefile_needs
  make_build
  v0_runs
else
  if [ -n "$repo" ]; then checkout_canvas; else npm_release; fi
  canvas_runs
fi
chmod 755 "$build"/bin/serve "$build"/bin/uvx 2>/dev/null || true
rehearse
unset TMPDIR
rm -rf "${build:?}/home" "$build/tmp" "$build/tools.txt"
echo "$recipe $commit" | atomic_file "$build/.fleethands" 0644 root:root
its_turn
# the one that runs now is kept for the way back, until this one is proven
[ ! -L "$root" ] || [ -L "$root.before" ] || cp -PT --remove-destination "$root" "$root.before"
ln -sfn "$build" "$root.new"
mv -fT "$root.new" "$root"

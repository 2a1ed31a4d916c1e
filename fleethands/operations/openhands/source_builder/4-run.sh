# shellcheck disable=SC2034,SC2154  # the parts are one script
if [ "$part" = fetch ]; then
  fetch_for_build
  exit 0
fi
commit='' version=''
if [ -n "$repo" ]; then
  checkout
  is_expected
fi
tools
if [ "$kind" = v0 ]; then
  makefile_needs
  make_build
else
  if [ -n "$repo" ]; then checkout_canvas; else npm_release; fi
  canvas_version
fi
echo "built commit=$commit version=$version"

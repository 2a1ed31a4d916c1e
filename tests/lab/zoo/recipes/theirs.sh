# Two foreign containers, from an image that needs no pull.
tar -c -h -C / usr/bin/sleep lib64/ld-linux-x86-64.so.2 lib/x86_64-linux-gnu/libc.so.6 |
  docker import --change 'ENTRYPOINT ["/usr/bin/sleep"]' - theirs:1
for name in theirs-1 theirs-2; do docker run --detach --restart always --name $name theirs:1 infinity; done

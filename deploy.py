"""Bring each host to the state its inventory describes. Plan only: add --dry."""

from fleethands.tasks import (
    docker,
    firewall,
    gateway,
    metrics,
    models,
    ollama,
    openhands,
    preflight,
    proof,
    sentinel,
    sharing,
)

preflight.check()
docker.install()
firewall.close()
ollama.serve()
models.pull()
openhands.serve()
gateway.serve()
metrics.collect()
proof.prove()
sentinel.watch()
openhands.remove_sandboxes()
ollama.remove_unused()
sharing.remove_kept()
firewall.narrow()

"""Bring each host to the state its inventory describes. Plan only: add --dry."""

from fleethands.tasks import docker, firewall, models, ollama, openhands, preflight, proof

preflight.check()
docker.install()
firewall.close()
ollama.serve()
models.pull()
openhands.serve()
proof.prove()
openhands.remove_sandboxes()
ollama.remove_unused()
firewall.narrow()

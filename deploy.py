"""Bring each host to the state its inventory describes. Plan only: add --dry."""

from pyinfra import host

from fleethands import settings as fleet
from fleethands.deploy_options import DeployOptions
from fleethands.tasks import docker, firewall, models, ollama, openhands, preflight, proof

settings = fleet.settings_for(host)

preflight.check(settings)
docker.install(settings)
firewall.close(settings)
ollama.serve(settings)
models.pull(settings)
openhands.serve(settings)
proof.prove(settings, when=DeployOptions.from_host(host).verify)
openhands.remove_sandboxes(settings)
ollama.remove_unused(settings)
firewall.narrow(settings)

"""
Restore a release record of each host, by the same operations as deploy.py. This works without any network.

`fleethands_rollback_to`: `current`, the state that was proven last, or `previous`, the one proven before that. Without
it, a host that is proven now goes to `previous`, any other to `current`. Running the rollback twice gives the same.
"""

from pyinfra import host

from fleethands import settings as fleet
from fleethands.deploy_options import DeployOptions
from tasks import docker, firewall, models, ollama, openhands, preflight, proof, rollback

back = rollback.found(fleet.of(host), DeployOptions.of(host).rollback_to)
settings = back.gentle

rollback.begin(back)
preflight.check(settings)
docker.install(settings)
firewall.close(settings)
ollama.serve(settings, image_of_then=back.ollama_image)
models.pull(settings)
openhands.serve(settings, image=back.image)
proof.answer_one_prompt(settings, recorded=back.settings)
openhands.settle(settings)
ollama.settle(settings)
firewall.settle(settings)

"""
Bring each host back to a release record of its own, by the same operations as deploy.py; without any network, too.

`fleethands_back`: `last`, what was proven last, or `before`, what was proven before that. Without it, `last` where what
is there now is not proven, else `before`. A second time, to these again.
"""

from pyinfra import host

from fleethands import settings as fleet
from tasks import docker, firewall, models, ollama, openhands, preflight, proof, rollback

back = rollback.found(fleet.of(host), host.data.get("fleethands_back"))
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

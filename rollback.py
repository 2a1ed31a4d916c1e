"""
Restore a release record of each host, by the same operations as deploy.py. This works without any network.

`fleethands_rollback_to`: `current`, the state that was proven last, or `previous`, the one proven before that. Without
it, a host that is proven now goes to `previous`, any other to `current`. Running the rollback twice gives the same.
"""

from pyinfra import host

from fleethands import settings as fleet
from fleethands.deploy_options import DeployOptions
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
    rollback,
    sentinel,
)

back = rollback.find_target(fleet.settings_for(host), DeployOptions.from_host(host).rollback_to)
settings = back.settings_to_apply

rollback.check(back)
preflight.check(settings)
docker.install(settings)
firewall.close(settings)
ollama.serve(settings, image_id=back.ollama_image)
models.pull(settings)
openhands.serve(settings, image=back.image)
gateway.serve(settings)
metrics.collect(settings)
proof.prove(settings, recorded=back.settings)
sentinel.watch(settings)
openhands.remove_sandboxes(settings)
ollama.remove_unused(settings)
firewall.narrow(settings)

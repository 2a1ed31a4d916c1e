"""Take away what deploy.py put on each host; models and workspaces only with `destroy_models`, `destroy_workspaces`."""

from pyinfra import host

from fleethands import settings as fleet
from tasks import removal

removal.remove(
    fleet.of(host),
    models=bool(host.data.get("destroy_models")),
    workspaces=bool(host.data.get("destroy_workspaces")),
)

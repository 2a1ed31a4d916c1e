"""What hosts of a site keep for each other between runs."""

from fleethands.operations.artifacts import kept_parts
from fleethands.settings import HostSettings
from fleethands.tasks.task import task


@task("Sharing")
def remove_kept(settings: HostSettings) -> None:
    """Remove parts that were kept for hosts that are added later, where nothing asks for them any more."""
    kept_parts.remove_kept(name="Remove kept parts", settings=settings)

"""Collect metrics for Prometheus."""

from fleethands import paths
from fleethands.operations.metrics import metrics
from fleethands.settings import HostSettings
from fleethands.tasks import render
from fleethands.tasks.task import task


@task("Metrics")
def collect(settings: HostSettings) -> None:
    """Collect metrics every 30 seconds if `metrics` is on, or remove what collects them."""
    if not settings.metrics:
        metrics.remove(name="Remove the metrics", settings=settings)
        return
    timer = render("metrics.timer.j2")
    metrics.collect(name="Collect every 30 seconds", settings=settings, unit=render_unit(settings), timer=timer)


def render_unit(settings: HostSettings) -> str:
    """The text of the collector's unit."""
    environment = {
        "declared": paths.METRICS_DECLARED,
        "collected": f"{paths.METRICS_STATE}/{paths.METRICS_FILE}",
        "sentinel": paths.SENTINEL_STATE,
        "own": paths.METRICS_RUNTIME,
        "textfile": str(settings.metrics_textfile or ""),
    }
    return render(
        "metrics.service.j2",
        collect=paths.METRICS_COLLECT,
        publish=paths.METRICS_PUBLISH,
        environment=environment,
        reads_journal=settings.gateway is not None,
    )

"""Settings of the metrics."""

from __future__ import annotations

from typing import Annotated

from fleethands.settings.schema import Keys
from fleethands.settings.schema.describe import Description
from fleethands.settings.schema.types import AsTuple, Directory
from fleethands.settings.schema.variables import ClientName


class MetricsKeys(Keys):
    """Metrics."""

    metrics: Annotated[
        bool,
        Description(
            "Whether the host collects metrics for Prometheus every 30 seconds.",
            accepts="True or False",
            change="to watch the host with Prometheus",
            example=True,
        ),
    ] = False
    metrics_textfile: Annotated[
        Directory | None,
        Description(
            "The directory in which node_exporter looks for files of metrics. fleethands writes fleethands.prom there.",
            accepts="an absolute path of a directory that exists and belongs to root",
            change="on a host with node_exporter",
            example="/var/lib/prometheus/node-exporter",
            default="none: the metrics are in /run/fleethands-metrics, where the gateway reads them",
        ),
    ] = None
    gateway_watchers: Annotated[
        tuple[ClientName, ...],
        AsTuple,
        Description(
            "The clients of the gateway that may read the metrics at `/metrics`. Such a client may do nothing else, "
            "unless `gateway_managers` has it, too.",
            accepts="a list of names of `gateway_tokens`",
            change="to let Prometheus read the metrics through the gateway",
            example=["prometheus"],
        ),
    ] = ()

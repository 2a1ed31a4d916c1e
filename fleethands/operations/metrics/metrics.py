"""Collects metrics on a host by a timer, and removes them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import ABSENT, File
from fleethands.facts.units import Unit
from fleethands.operations.core.decision import Change, Decision, Refused, Unchanged
from fleethands.operations.core.host_script import HostScript
from fleethands.operations.core.operation import operation
from fleethands.operations.metrics import programs
from fleethands.operations.metrics.declared import WATCHED, declared_text, watched_sums
from fleethands.settings import HostSettings

ALL = "the metrics of Ollama, its models, GPUs, the disk, the proof and the gateway"
OTHERS_MAY_WRITE = 0o022
FILES = (
    paths.METRICS_COLLECT, paths.METRICS_PUBLISH, paths.METRICS_DECLARED, paths.METRICS_SUMS, paths.METRICS_TEXTFILE,
    paths.METRICS_UNIT, paths.METRICS_ENABLED, paths.METRICS_TIMER_UNIT,
)  # fmt: skip


@dataclass(frozen=True)
class InstallMetrics(HostScript, file="install_metrics", parts=("remove_textfile",)):
    """
    Installs the collector and its timer, and collects once.

    + collect, publish: texts of its programs; declared: what it compares the host with; unit, timer: texts of its units
    + textfile: the directory of node_exporter; empty for none; textfile_record: the file that remembers it
    + watched: paths whose digests go into the file `sums_path`, with blanks between them
    """

    collect: str
    publish: str
    declared: str
    unit: str
    timer: str
    textfile: str
    collect_path: str = paths.METRICS_COLLECT
    publish_path: str = paths.METRICS_PUBLISH
    declared_path: str = paths.METRICS_DECLARED
    sums_path: str = paths.METRICS_SUMS
    unit_path: str = paths.METRICS_UNIT
    timer_path: str = paths.METRICS_TIMER_UNIT
    textfile_record: str = paths.METRICS_TEXTFILE
    watched: str = " ".join(WATCHED)
    published: str = paths.METRICS_FILE


@dataclass(frozen=True)
class RemoveMetrics(HostScript, file="remove_metrics", parts=("remove_textfile",)):
    """Stops the timer, and removes all that belongs to the metrics. The unit of the timer goes last."""

    files: str = "\n".join(FILES)
    directory: str = paths.METRICS
    runtime: str = paths.METRICS_RUNTIME
    stored: str = paths.METRICS_STATE
    stored_link: str = paths.METRICS_STATE_LINK
    textfile_record: str = paths.METRICS_TEXTFILE
    published: str = paths.METRICS_FILE


@operation
def collect(settings: HostSettings, probe: Probe, unit: str, timer: str) -> Decision:
    """
    Collect metrics by a timer.

    + unit, timer: texts of its units
    """
    if refused := _check_textfile(settings, probe):
        return refused
    contents = {
        paths.METRICS_COLLECT: programs.collect(),
        paths.METRICS_PUBLISH: programs.publish(),
        paths.METRICS_DECLARED: declared_text(settings, probe),
        paths.METRICS_SUMS: watched_sums(probe),
        paths.METRICS_TEXTFILE: str(settings.metrics_textfile or ""),
        paths.METRICS_UNIT: unit,
        paths.METRICS_TIMER_UNIT: timer,
    }
    why = _why_install(probe, contents)
    if not why:
        return Unchanged(f"{ALL} are collected every 30 s")
    script = InstallMetrics(
        collect=contents[paths.METRICS_COLLECT],
        publish=contents[paths.METRICS_PUBLISH],
        declared=contents[paths.METRICS_DECLARED],
        unit=unit,
        timer=timer,
        textfile=contents[paths.METRICS_TEXTFILE],
    ).script
    before = "none" if probe.files[paths.METRICS_TIMER_UNIT].kind == "absent" else "collected differently"
    return Change(
        "metrics", before, "collected every 30 s", script, lambda probe: _predict(probe, contents), why=why,
        keeps_proof=True,
    )  # fmt: skip


def _check_textfile(settings: HostSettings, probe: Probe) -> Refused | None:
    """Refuse a directory that is missing, or in which root would write for another account."""
    place = settings.metrics_textfile
    if place is None:
        return None
    found, leave = probe.files[str(place)], "or leave out `metrics_textfile`"
    if found.kind != "directory":
        reason = f"`metrics_textfile`: there is no directory {place} on this host"
        return Refused(reason, (f"on the host: apt-get install prometheus-node-exporter, {leave}",))
    if found.uid != 0 or int(found.mode or "0", 8) & OTHERS_MAY_WRITE:
        reason = f"`metrics_textfile`: {place} belongs to {found.owner}, with mode {found.mode}, and root writes there"
        return Refused(reason, (f"on the host: chown root {place} && chmod go-w {place}, {leave}",))
    return None


def _why_install(probe: Probe, contents: dict[str, str]) -> str:
    """Why the collector has to be installed; empty if it is."""
    if probe.files[paths.METRICS_TIMER_UNIT].kind == "absent":
        return "declared, and not there"
    differs = [path for path, text in contents.items() if (probe.files[path].content or b"") != text.encode()]
    if differs:
        return f"{', '.join(path.rpartition('/')[2] for path in differs)} changed"
    timer = probe.units.get(paths.METRICS_TIMER)
    if timer is None or timer.active != "active":
        return "its timer does not run"
    return "" if probe.files[paths.METRICS_ENABLED].kind == "link" else "its timer does not start at boot"


def _predict(probe: Probe, contents: dict[str, str]) -> Probe:
    for path, text in contents.items():
        probe = probe.with_file(path, File("file", "0644", 0, 0, owner="root:root", content=text.encode()))
    probe = probe.with_file(paths.METRICS, File("directory", "0755", 0, 0, owner="root:root"))
    probe = probe.with_file(paths.METRICS_ENABLED, File("link", target=paths.METRICS_TIMER_UNIT))
    timer = Unit("loaded", "active", "waiting", "enabled", 0, False, (), paths.METRICS_TIMER_UNIT, 0, "success")
    return probe.replace(units={**probe.units, paths.METRICS_TIMER: timer})


@operation
def remove(settings: HostSettings, probe: Probe) -> Decision:
    """Stop collecting metrics, and remove all that belongs to them."""
    if probe.files[paths.METRICS].kind == "absent":  # which is removed last
        return Unchanged("no metrics are collected")

    def predict(probe: Probe) -> Probe:
        for path in (paths.METRICS, *FILES):
            probe = probe.with_file(path, ABSENT) if path in probe.files else probe
        timer = probe.units.get(paths.METRICS_TIMER)
        gone = {paths.METRICS_TIMER: replace(timer, load="not-found", active="inactive")} if timer else {}
        return probe.replace(units={**probe.units, **gone})

    return Change("metrics", "collected", "removed", RemoveMetrics().script, predict, keeps_proof=True)

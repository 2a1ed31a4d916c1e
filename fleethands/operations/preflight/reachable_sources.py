"""Checks that a host can download what it lacks."""

from __future__ import annotations

import shlex

from fleethands.facts import Probe
from fleethands.facts.upstream import MISSING, UNREACHABLE, Offer
from fleethands.operations.core.decision import Refused
from fleethands.operations.ollama import release
from fleethands.settings import HostSettings
from fleethands.settings.pins import PIN

MIRROR = 'have it nearer: `ollama_url`, as "http://mirror.example/ollama"'
PROXY = 'behind a proxy: `ollama_env`, as {"HTTPS_PROXY": "http://proxy.example:3128"}'


def check_sources(settings: HostSettings, probe: Probe) -> Refused | None:
    """Refuse the first download that does not exist or is unreachable. Sources without an answer are not refused."""
    copied = {str(model.name) for model in settings.models if model.digest and _has_digest(model.digest, probe)}
    for offer in probe.upstream.offers:
        if _has_offer(offer, probe) or offer.name in copied or _may_come_from_neighbors(settings, probe, offer):
            continue
        if against := _check_offer(settings, offer):
            return against
    return None


def _has_digest(digest: str, probe: Probe) -> bool:
    """Whether the host has a model of that digest under any name: then it is copied without a download."""
    return probe.knows("models") and digest in probe.models.values()


def _may_come_from_neighbors(settings: HostSettings, probe: Probe, offer: Offer) -> bool:
    """Whether hosts of the site may have what this host can't reach. They must not say what a name stands for."""
    if not settings.neighbors or offer.state != UNREACHABLE:
        return False
    if offer.kind == "archive":
        return all(release.lacking_archives(settings, probe).values())
    return offer.name in {str(model.name) for model in settings.models if model.digest}


def _has_offer(offer: Offer, probe: Probe) -> bool:
    """Whether the host has it, perhaps by an earlier change of the plan."""
    if offer.kind == "archive":
        return offer.name in probe.releases
    # to Ollama the case of a name does not count
    return offer.kind == "model" and probe.knows("models") and offer.name.lower() in map(str.lower, probe.models)


def _check_offer(settings: HostSettings, offer: Offer) -> Refused | None:
    archive = offer.kind == "archive"
    if offer.state == MISSING:
        if archive:
            return Refused(f"{offer.url} can't be had: {offer.reason}", ("check `ollama_version`", MIRROR))
        return Refused(
            f"the registry has no model {offer.name}", ("look for its right name: https://ollama.com/search",)
        )
    if offer.state != UNREACHABLE:
        return None
    asked = settings.ollama_env.keys() & {"HTTPS_PROXY", "https_proxy"}
    proxy = f"it was asked by the proxy of `ollama_env`, too: does that let this host out to {offer.server}?"
    hints = (f"try it on the host: curl -sSI {shlex.quote(offer.url)}", proxy if asked else PROXY)
    by_site = (f"to have it from neighbors of the site, {PIN}",) if settings.neighbors else ()
    return Refused(f"no route to {offer.server}: {offer.reason}", (*hints, *((MIRROR,) if archive else ()), *by_site))

"""Whether what a host lacks can be had, from that host."""

from __future__ import annotations

import shlex

from fleethands.facts import Probe
from fleethands.facts.upstream import MISSING, UNREACHABLE, Offer
from fleethands.operations.core.decision import Refused
from fleethands.settings import HostSettings

MIRROR = 'have it nearer: `ollama_url`, as "http://mirror.example/ollama"'
PROXY = 'behind a proxy: `ollama_env`, as {"HTTPS_PROXY": "http://proxy.example:3128"}'


def check_sources(settings: HostSettings, probe: Probe) -> Refused | None:
    """The first thing that is not there or that no way leads to; what could not be asked is left to its own step."""
    copied = {str(model.name) for model in settings.models if model.digest and _is_there(model.digest, probe)}
    for offer in probe.upstream.offers:
        if not _has(offer, probe) and offer.name not in copied and (against := _against(settings, offer)):
            return against
    return None


def _is_there(digest: str, probe: Probe) -> bool:
    """Whether the host has a model of that digest, under whatever name: then it is copied, and nobody is asked."""
    return probe.knows("models") and digest in probe.models.values()


def _has(offer: Offer, probe: Probe) -> bool:
    """Whether the host has it by now: a plan foresees that."""
    if offer.kind == "archive":
        return offer.name in probe.releases
    # to Ollama the case of a name does not count
    return offer.kind == "model" and probe.knows("models") and offer.name.lower() in map(str.lower, probe.models)


def _against(settings: HostSettings, offer: Offer) -> Refused | None:
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
    return Refused(f"no route to {offer.server}: {offer.reason}", (*hints, MIRROR) if archive else hints)

"""How to break a host with metrics so that each alert fires, and how to heal it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from fleethands import paths
from fleethands.tls.authority import Authority
from fleethands.tls.build import SERVER_LIFE, build_server, new_key
from fleethands.tls.pem import encode_certificate, encode_key
from tests.lab.gateways import NAME, Client, Gateway

COLLECT = "systemctl start fleethands-metrics"
MODELS = "/usr/share/ollama/.ollama/models"
SMI = "/usr/local/bin/nvidia-smi"
SENTINEL, SENTINEL_TIMER = "fleethands-sentinel.service", "fleethands-sentinel.timer"
LEFT = timedelta(days=5)  # of a certificate that ends
ANSWERS = "until curl -fs -o /dev/null localhost:11434; do sleep 0.1; done"
Step = Callable[[], Any]


class Trouble:
    """
    Trouble of a host with a gateway and metrics.

    + client: another machine that sends requests to the gateway
    """

    def __init__(self, gateway: Gateway, client: Client) -> None:
        self.gateway, self.client, self.host = gateway, client, gateway.host

    def ways(self) -> dict[str, tuple[Step, Step]]:
        """Alert → how to break the host, and how to heal it."""
        override, proof = paths.OLLAMA_OVERRIDE, paths.PROOF
        return {
            "FleethandsHostGone": (self.host.unplug, self.host.plug),
            "FleethandsOllamaDown": self._commands("systemctl stop ollama", "systemctl start ollama; sleep 2"),
            "FleethandsProofFailed": (self._break_proof, self._verify),
            "FleethandsProofMissing": (self._command(f"rm {proof}"), self._verify),
            "FleethandsProofOld": self._commands(f"touch -d '40 days ago' {proof}", f"touch {proof}"),
            "FleethandsDrift": self._commands(
                f"cp {override} /root/override; echo '# x' >>{override}", f"cp /root/override {override}"
            ),
            "FleethandsDiskNearlyFull": self._commands(
                f"mount -t tmpfs -o size=1m tmpfs {MODELS}; dd if=/dev/zero bs=1k count=1000 of={MODELS}/full",
                f"umount {MODELS}",
            ),
            "FleethandsGpuHot": (self._nvidia_smi(95), self._nvidia_smi(40)),
            "FleethandsMetricsIncomplete": self._commands(
                f"printf '#!/bin/sh\\nsleep 600\\n' >{SMI}; chmod 755 {SMI}", f"rm {SMI}"
            ),
            "FleethandsMetricsOld": (
                lambda: self.host.run("systemctl stop fleethands-metrics.timer"),
                self._command("systemctl start fleethands-metrics.timer"),
            ),
            "FleethandsGatewayDown": self._commands(
                "systemctl stop fleethands-gateway", "systemctl start fleethands-gateway; sleep 1"
            ),
            "FleethandsCertificateEnds": (self._show_old_certificate, self._apply),
            "FleethandsGatewayErrors": (
                self._fail_requests,
                self._command("systemctl start ollama; sleep 15"),
            ),
            "FleethandsSentinelBroken": (
                self._watch_broken_host,
                self._command(f"systemctl start ollama; {ANSWERS}; systemctl start {SENTINEL}"),
            ),
            "FleethandsSentinelSilent": self._commands(
                f"systemctl stop {SENTINEL_TIMER}", f"systemctl start {SENTINEL_TIMER} {SENTINEL}"
            ),
        }

    def _command(self, command: str) -> Step:
        return lambda: self.host.run(f"{command}; {COLLECT}", timeout=120)

    def _commands(self, breaks: str, heals: str) -> tuple[Step, Step]:
        return self._command(breaks), self._command(heals)

    def _verify(self) -> None:
        code, said, _ = self.gateway.run("verify")
        assert code == 0, said
        self.host.run(COLLECT)

    def _apply(self) -> None:
        self.gateway.apply()
        self.host.run(COLLECT)

    def _break_proof(self) -> None:
        self.host.run("systemctl stop ollama")
        assert self.gateway.run("verify")[0] == 1
        self.host.run(f"systemctl start ollama; {COLLECT}")

    def _fail_requests(self) -> None:
        self.host.run("systemctl stop ollama")
        for _ in range(30):
            self.client.status("/v1/models", token=self.gateway.tokens["alice"])
            self.host.run(COLLECT)
            time.sleep(0.2)

    def _nvidia_smi(self, temperature: int) -> Step:
        line = f"0, NVIDIA H200, 570.1, 1000, 10, {temperature}, 30"
        return self._command(f"""printf '#!/bin/sh\\necho "{line}"\\n' >{SMI}; chmod 755 {SMI}""")

    def _show_old_certificate(self) -> None:
        """The certificate that the authority of the fleet issued nearly a year ago."""
        authority, key = Authority.read(self.gateway.authority.read_text()), new_key()
        names, then = [NAME, self.host.address, self.host.address6], datetime.now(UTC) - SERVER_LIFE + LEFT
        certificate = build_server(names, key, authority.certificate, authority.key, then)
        self.host.run(f"cat > {paths.GATEWAY_CERTIFICATE}", stdin=encode_certificate(certificate))
        self.host.run(f"cat > {paths.GATEWAY_KEY}", stdin=encode_key(key))
        self.host.run(f"systemctl reload fleethands-gateway; sleep 1; {COLLECT}")

    def _watch_broken_host(self) -> None:
        """The host gets a sentinel, which finds that Ollama has stopped."""
        self.gateway.more["sentinel"] = True
        self.gateway.apply()
        self.host.run(f"systemctl start {SENTINEL}; {COLLECT}", timeout=120)
        self.host.run(f"systemctl stop ollama; systemctl start {SENTINEL}; {COLLECT}", timeout=120)

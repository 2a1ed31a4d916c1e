"""What operations decided and said on each host of one pyinfra state."""

from __future__ import annotations

from typing import Any

from pyinfra.api import Inventory, State

from fleethands import facts
from fleethands.facts import Probe
from fleethands.operations.core import journal
from fleethands.report.operation_result import OperationResult


class OperationResults:
    """Read by a host's name, while and after it is planned or changed."""

    state: State
    inventory: Inventory

    def host(self, name: str) -> Any:
        """pyinfra's own host."""
        return self.inventory.get_host(name)

    def has_proven(self, name: str) -> bool:
        """Whether this run made a proof on a host that held."""
        proofs = [each for each in self.outcomes(name) if each.task == "Proof"]
        return bool(proofs) and not any(each.failed for each in proofs)

    def planned(self, name: str) -> list[journal.JournalEntry]:
        """What operations decided on a host while the plan was made."""
        return journal.entries(self.host(name), executing=False)

    def done(self, name: str) -> list[journal.JournalEntry]:
        """What operations decided on a host while they ran."""
        return journal.entries(self.host(name), executing=True)

    def seen(self, name: str) -> Probe | None:
        """A host as it was when it was last asked; None when it changed since, or never answered."""
        return facts.cached_probe(self.host(name))

    def outcomes(self, name: str) -> list[OperationResult]:
        """What each operation that ran on a host said, in their order."""
        host = self.host(name)
        found = []
        for op_hash in self.state.get_op_order():
            data = self.state.ops[host].get(op_hash)
            if data is None or not data.operation_meta.is_complete():
                continue
            (operation,) = self.state.get_op_meta(op_hash).names
            meta = data.operation_meta
            found.append(OperationResult(operation, meta.did_error(), meta.stdout, meta.stderr))
        return found

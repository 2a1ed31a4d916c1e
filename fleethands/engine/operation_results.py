"""What the operations of one pyinfra state decided and printed on each host."""

from __future__ import annotations

from typing import Any

from pyinfra.api import Inventory, State

from fleethands import facts
from fleethands.facts import Probe
from fleethands.operations.core import journal
from fleethands.report.operation_result import OperationResult


class OperationResults:
    """Results by host name, during and after a plan or a run."""

    state: State
    inventory: Inventory

    def host(self, name: str) -> Any:
        """pyinfra's own object of a host."""
        return self.inventory.get_host(name)

    def has_proven(self, name: str) -> bool:
        """Whether this run proved a host."""
        proofs = [result for result in self.results(name) if result.task == "Proof"]
        return bool(proofs) and not any(result.failed for result in proofs)

    def planned(self, name: str) -> list[journal.JournalEntry]:
        """The decisions of a host's operations while the plan was made."""
        return journal.entries(self.host(name), executing=False)

    def executed(self, name: str) -> list[journal.JournalEntry]:
        """The decisions of a host's operations while they ran."""
        return journal.entries(self.host(name), executing=True)

    def probe(self, name: str) -> Probe | None:
        """The latest answer of a host, None where it never answered."""
        return facts.cached_probe(self.host(name))

    def results(self, name: str) -> list[OperationResult]:
        """The result of each operation that ran on a host, in order."""
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

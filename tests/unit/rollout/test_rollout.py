"""A rollout from its first batch to its report, over a fleet whose hosts follow a script."""

from __future__ import annotations

from dataclasses import replace

from fleethands.report.model import ChangeReport, HostReport, Report
from fleethands.rollout.strategy import Canary, HostQuota, RolloutStrategy
from tests.helpers.fake_fleet import CHANGE, FakeFleet, failed, plan, roll_out

ABCDE = ("a", "b", "c", "d", "e")
STRATEGY = RolloutStrategy(canary=Canary("1"), batch=HostQuota.parse("--batch", "2"))
BROKEN = failed("Ollama | Write the unit: Read-only file system")


def statuses(report: Report) -> dict[str, str]:
    return {name: host.status for name, host in sorted(report.hosts.items())}


def test_all_hosts_are_updated_canary_first_then_batch_by_batch() -> None:
    fleet = FakeFleet([*ABCDE, "same"])

    report = roll_out(fleet, plan(*ABCDE, same=HostReport("unchanged")), STRATEGY)

    assert statuses(report) == {**dict.fromkeys(ABCDE, "changed"), "same": "unchanged"}
    assert (report.result, report.interrupted) == ("changed", False)
    assert fleet.calls == [
        *("disconnect same", "# canary: a", "update a", "unlock a", "disconnect a"),
        *("# batch 1 of 2: b, c", "update b c", "unlock b c", "disconnect b", "disconnect c"),
        *("# batch 2 of 2: d, e", "update d e", "unlock d e", "disconnect d", "disconnect e"),
        "unlock all",
    ]


def test_a_failed_canary_is_rolled_back_and_no_other_host_is_touched() -> None:
    fleet = FakeFleet(ABCDE, {"a": BROKEN})

    report = roll_out(fleet, plan(*ABCDE), STRATEGY)

    assert statuses(report) == {"a": "rolled-back", **dict.fromkeys("bcde", "not-run")}
    canary, left_out = report.hosts["a"], report.hosts["b"]
    assert canary.reason == BROKEN.reason
    assert canary.notes == ["rolled back: ollama.service: missing → as declared"]
    assert left_out.reason == "the rollout stopped before this host: the canary failed: a"
    assert left_out.hints == ["update the remaining hosts: `fleethands apply fleet.py --batch 2`"]
    assert (left_out.changes, left_out.remote_commands) == ([], 2)
    assert fleet.calls == [
        *("# canary: a", "update a", "# rollback: a", "roll back a to current", "unlock a", "disconnect a"),
        "unlock all",
    ]


def test_a_canary_that_the_plan_refuses_stops_the_rollout_before_it_begins() -> None:
    fleet = FakeFleet(["a", "b"])
    refused = HostReport("refused", "port 11434 is in use")

    report = roll_out(fleet, plan("b", a=refused), replace(STRATEGY, canary=Canary("a")))

    assert statuses(report) == {"a": "refused", "b": "not-run"}
    assert report.hosts["b"].reason == "the rollout stopped before this host: the canary a is refused"
    assert fleet.calls == ["disconnect a", "unlock all"]


def test_failures_below_the_limit_do_not_stop_a_rollout_and_those_that_reach_it_do() -> None:
    fleet = FakeFleet(ABCDE, {"b": BROKEN, "d": BROKEN})
    one_by_one = RolloutStrategy(batch=HostQuota.parse("--batch", "1"), failure_limit=HostQuota.parse("", "2"))

    report = roll_out(fleet, plan(*ABCDE), one_by_one)

    assert statuses(report) == {**dict.fromkeys("ac", "changed"), **dict.fromkeys("bd", "rolled-back"), "e": "not-run"}
    assert report.hosts["e"].reason == "the rollout stopped before this host: 2 of 5 failed: b, d"


def test_a_failure_limit_in_percent_is_one_of_all_hosts_and_not_of_those_with_changes() -> None:
    names = [*"abcdefghij"]
    fleet = FakeFleet(names, {"a": BROKEN})
    others = {name: HostReport("unchanged") for name in names[3:]}
    strategy = RolloutStrategy(batch=HostQuota.parse("--batch", "1"), failure_limit=HostQuota.parse("", "20%"))

    report = roll_out(fleet, plan("a", "b", "c", **others), strategy)

    assert [report.hosts[name].status for name in "abc"] == ["rolled-back", "changed", "changed"]


def test_a_host_whose_proof_held_and_whose_port_is_open_goes_to_the_record_before_this_run() -> None:
    fleet = FakeFleet(["a", "b"], {"b": BROKEN}, open_ports=frozenset("a"))

    report = roll_out(fleet, plan("a", "b"))

    assert statuses(report) == {"a": "rolled-back", "b": "rolled-back"}
    assert [call for call in fleet.calls if call.startswith("roll back")] == [
        "roll back b to current",
        "roll back a to previous",
    ]


def test_without_rollback_a_failed_host_stays_as_it_is() -> None:
    fleet = FakeFleet(["a", "b"], {"a": BROKEN})

    report = roll_out(fleet, plan("a", "b"), RolloutStrategy(rolls_back=False))

    assert statuses(report) == {"a": "failed", "b": "changed"}
    assert not any("roll back" in call for call in fleet.calls)


def test_a_host_that_was_only_to_be_proven_is_not_rolled_back() -> None:
    fleet = FakeFleet(["a"], {"a": failed("Proof | Get an answer to a prompt: list: no models")})
    proof_alone = HostReport(
        "pending", changes=[ChangeReport("Proof", "Get an answer to a prompt", "proof", "", "proven")]
    )

    report = roll_out(fleet, Report("apply", {"a": proof_alone}))

    assert statuses(report) == {"a": "failed"}
    assert not any("roll back" in call for call in fleet.calls)


def test_a_rollback_that_fails_leaves_both_reasons_and_both_hints() -> None:
    broken = replace(BROKEN, hints=["look at the disk"])
    rollback = HostReport("failed", "Ollama | Serve this revision: it does not start", ["read its journal"])
    fleet = FakeFleet(["a"], {"a": broken}, rolled_back={"a": rollback})

    report = roll_out(fleet, plan("a"))

    assert statuses(report) == {"a": "failed"}
    assert report.hosts["a"].reason == f"{BROKEN.reason}; and the rollback failed: {rollback.reason}"
    assert report.hosts["a"].hints == ["look at the disk", "read its journal"]


def test_a_host_without_a_record_is_not_rolled_back_and_says_so() -> None:
    refused = HostReport("refused", "there is no release record")
    fleet = FakeFleet(["a"], {"a": BROKEN}, rolled_back={"a": refused})

    report = roll_out(fleet, plan("a"))

    assert statuses(report) == {"a": "failed"}
    assert report.hosts["a"].notes == ["not rolled back: there is no release record"]


def test_a_host_that_is_lost_in_the_middle_costs_the_others_of_its_batch_nothing() -> None:
    lost = failed("the connection was lost")
    fleet = FakeFleet(ABCDE, {"c": lost}, rolled_back={"c": HostReport("unreachable", "no route to host")})

    report = roll_out(fleet, plan(*ABCDE), replace(STRATEGY, failure_limit=HostQuota.parse("", "2")))

    assert statuses(report) == {**dict.fromkeys("abde", "changed"), "c": "failed"}
    assert report.hosts["c"].reason == "the connection was lost; and the rollback failed: no route to host"


def test_ctrl_c_lets_the_batch_finish_and_begins_no_other() -> None:
    fleet = FakeFleet(ABCDE, {"b": BROKEN}, ctrl_c={"b": 1})

    report = roll_out(fleet, plan(*ABCDE), STRATEGY)

    assert statuses(report) == {"a": "changed", "b": "failed", **dict.fromkeys("cde", "not-run")}
    assert (report.result, report.interrupted) == ("interrupted", True)
    assert "# interrupted: each host finishes its current step (press Ctrl-C again to abort)" in fleet.calls
    assert report.hosts["b"].notes == ["not rolled back: the run was interrupted"]
    assert report.hosts["c"].reason == "interrupted before it began"
    assert report.hosts["d"].reason == "the rollout stopped before this host: the run was interrupted"
    assert fleet.calls[-4:] == ["unlock b c", "disconnect b", "disconnect c", "unlock all"]


def test_a_second_ctrl_c_ends_the_rollout_where_it_is() -> None:
    fleet = FakeFleet(ABCDE, ctrl_c={"b": 2})

    report = roll_out(fleet, plan(*ABCDE), STRATEGY)

    assert statuses(report) == {**dict.fromkeys("ab", "changed"), **dict.fromkeys("cde", "not-run")}
    assert report.interrupted
    assert fleet.calls[-1] == "unlock all"


def test_ctrl_c_lets_a_rollback_finish() -> None:
    fleet = FakeFleet(ABCDE, {"a": BROKEN}, ctrl_c={"rollback a": 1})

    report = roll_out(fleet, plan(*ABCDE), STRATEGY)

    assert statuses(report) == {"a": "rolled-back", **dict.fromkeys("bcde", "not-run")}
    assert "# interrupted: finishing rollbacks in progress (press Ctrl-C again to abort)" in fleet.calls
    assert report.interrupted


def test_a_second_ctrl_c_ends_a_rollback_and_the_host_says_so() -> None:
    fleet = FakeFleet(ABCDE, {"a": BROKEN}, ctrl_c={"rollback a": 2})

    report = roll_out(fleet, plan(*ABCDE), STRATEGY)

    assert statuses(report) == {"a": "failed", **dict.fromkeys("bcde", "not-run")}
    assert report.hosts["a"].notes == ["interrupted during rollback; the next run will finish it"]
    assert report.hosts["a"].changes == [CHANGE]

"""An Ollama from upstream's own install.sh: refused with what it sets, or taken over with its models."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab import fleet, observe
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.test_ollama_service import offer

UNIT = "/etc/systemd/system/ollama.service"
KEPT = "/opt/ollama/adopted"
ADOPT = "Ollama | Adopt the existing Ollama"
LIBRARIES = "Ollama | Move the adopted libraries aside"
SERVE = "Ollama | Serve this revision"
STORE = "/data/models"
BOTH = ["codellama:7b", "tiny-tools"]


def install(host: Host, *environment: str) -> None:
    """What a person does by upstream's guide: install.sh, variables into its unit, two models."""
    host.run("curl -fsSL https://ollama.com/install.sh | sh", timeout=120)
    lines = "".join(f"Environment={each}\\n" for each in environment)
    host.run(f"sed -i 's|^ExecStart=|{lines}&|' {UNIT}")
    host.run(f"install -d -o ollama -g ollama {STORE}; systemctl daemon-reload; systemctl restart ollama")
    host.run("until curl -fs -o /dev/null localhost:11434/api/version; do sleep 0.05; done", timeout=20)
    host.run(" && ".join(f"ollama pull {model} >/dev/null 2>&1" for model in BOTH), timeout=120)


def blobs(lab: Lab, since: int) -> list[str]:
    """Requests of downloads of models that the lab's registry got."""
    asked = [str(each) for each in lab.internet.requests()[since:] if not each.is_look]
    return [each for each in asked if "/blobs/" in each and "/library/" in each]


def serving(host: Host) -> str:
    """The process that serves now: its pid and what it runs."""
    return host.run("pid=$(systemctl show ollama -p MainPID --value); echo $pid $(readlink /proc/$pid/exe)").stdout


def test_what_install_sh_put_there_is_taken_over_with_both_models(lab: Lab, clean: Host) -> None:
    install(clean, f"OLLAMA_MODELS={STORE}", "OLLAMA_NUM_PARALLEL=2", "OLLAMA_API_KEY=hunter2")
    unit, binary = clean.run(f"cat {UNIT}").stdout, clean.run("sha256sum < /usr/local/bin/ollama").stdout
    before, line = serving(clean), unit.splitlines().index(f"Environment=OLLAMA_MODELS={STORE}") + 1
    asked, left = len(lab.internet.requests()), observe.leftovers(clean)  # install.sh forgets its directory
    base: dict[str, Any] = {"models": BOTH, "openhands_flavor": "off"}

    run = fleet.apply("lab-1", **base)

    assert run.code == 1
    assert f"/usr/local/bin/ollama and {UNIT} were put there by something else" in run.said
    assert f"{UNIT}:{line} sets OLLAMA_MODELS={STORE}, which is lost" in run.said
    assert f"{UNIT}:{line + 1} sets OLLAMA_NUM_PARALLEL=2, which is lost" in run.said
    assert "hunter2" not in run.said
    assert "declare `ollama_adopt`: True" in run.said
    run = fleet.apply("lab-1", **base, ollama_adopt=True)
    assert run.code == 1
    assert f'declare "ollama_models_dir": "{STORE}"' in run.said
    assert serving(clean) == before

    wanted: dict[str, Any] = {**base, "ollama_adopt": True, "ollama_models_dir": STORE}
    plan = fleet.plan("lab-1", diff=True, **wanted)
    run = fleet.apply("lab-1", **wanted)

    assert run.code == 0, run.said
    assert plan.planned("lab-1") == run.changed("lab-1")
    assert {ADOPT, SERVE, LIBRARIES} <= set(run.changed("lab-1"))
    assert "Models | Pull what is missing" not in run.changed("lab-1")
    assert "OLLAMA_NUM_PARALLEL=2, which is lost: it is not declared" in plan.said
    assert "hunter2" not in plan.said + run.said
    assert all(observe.streamed_tokens(clean, model) > 1 for model in BOTH)
    assert blobs(lab, asked) == []
    assert serving(clean).split()[1] == "/opt/ollama/0.24.0/bin/ollama"
    assert clean.run("systemctl show ollama -p NRestarts --value").stdout == "0\n"
    assert clean.run(f"cat {KEPT}{UNIT}").stdout == unit
    assert clean.run(f"sha256sum < {KEPT}/usr/local/bin/ollama").stdout == binary
    assert clean.run(f"ls {KEPT}/usr/local/lib/ollama; ls /usr/local/lib/ollama", check=False).returncode != 0
    assert observe.leftovers(clean) == left
    served = serving(clean)
    assert fleet.apply("lab-1", **wanted).changed("lab-1") == []
    assert serving(clean) == served


@pytest.mark.soak
def test_it_is_back_in_its_place_if_ours_does_not_serve(clean: Host) -> None:
    install(clean, "OLLAMA_NUM_PARALLEL=2")
    before, binary = clean.run(f"cat {UNIT}").stdout, serving(clean).split()[1]
    wanted: dict[str, Any] = {"models": BOTH, "openhands_flavor": "off", "ollama_adopt": True}

    run = fleet.apply("lab-1", **wanted, **offer(clean, "0.24.9", "echo Error: no such thing >&2; exit 1"))

    assert run.code == 1
    assert "no such thing; the Ollama that was there before is restored" in run.said
    clean.run("until curl -fs -o /dev/null localhost:11434/api/version; do sleep 0.05; done", timeout=20)
    assert clean.run(f"cat {UNIT}").stdout == before
    assert serving(clean).split()[1] == binary
    assert all(observe.streamed_tokens(clean, model) > 1 for model in BOTH)
    run = fleet.apply("lab-1", **wanted)
    assert run.code == 0, run.said
    assert serving(clean).split()[1] == "/opt/ollama/0.24.0/bin/ollama"
    assert fleet.apply("lab-1", **wanted).changed("lab-1") == []


@pytest.mark.soak
def test_a_drop_in_of_somebody_else_is_named_by_its_line_and_moved_where_asked(converged: Host) -> None:
    mine = f"{UNIT}.d/90-mine.conf"
    converged.run(f"printf '[Service]\\n# mine\\nEnvironment=OLLAMA_KEEP_ALIVE=9m\\n' > {UNIT}.d/91-second.conf")
    converged.run(f"printf '[Service]\\n# mine\\nEnvironment=OLLAMA_ORIGINS=null\\n' > {mine}")
    before = serving(converged)

    run = fleet.apply("lab-1")

    assert run.code == 1
    assert f"error: {mine}:3 sets OLLAMA_ORIGINS=null, which wins over the declared *" in run.said
    assert serving(converged) == before
    converged.run("systemctl daemon-reload; systemctl restart ollama")

    run = fleet.apply("lab-1", ollama_adopt=True)

    assert run.code == 0, run.said
    assert run.changed("lab-1") == [ADOPT, SERVE, "Proof | Get an answer to a prompt"]
    environment = observe.environment(converged)
    assert (environment["OLLAMA_ORIGINS"], environment["OLLAMA_KEEP_ALIVE"]) == ("*", "9m")
    assert "OLLAMA_ORIGINS=null" in converged.run(f"cat {KEPT}{mine}").stdout
    assert fleet.apply("lab-1", ollama_adopt=True).changed("lab-1") == []
    assert fleet.apply("lab-1").changed("lab-1") == []


@pytest.mark.soak
def test_another_accounts_models_and_a_packages_files_are_taken_over(lab: Lab, clean: Host) -> None:
    install(clean)
    clean.run("systemctl stop ollama; useradd --system --home-dir /var/lib/llm --create-home llm")
    clean.run(f"mv /usr/share/ollama/.ollama/models {STORE}/kept && chown -R llm: {STORE}")
    package = "/root/package"  # as a distribution lays it out
    clean.run(
        f"mkdir -p {package}/DEBIAN {package}/usr/bin {package}/usr/lib/systemd/system && "
        f"mv /usr/local/bin/ollama {package}/usr/bin/ && rm -r /usr/local/lib/ollama && "
        f"printf 'Package: lab-ollama\\nVersion: 1\\nArchitecture: all\\nMaintainer: lab <lab@lab>\\nDescription: x\\n'"
        f" > {package}/DEBIAN/control && "
        f"sed 's/=ollama$/=llm/; s|/usr/local/bin|/usr/bin|; s|^ExecStart|Environment=OLLAMA_MODELS={STORE}/kept\\n&|'"
        f" {UNIT} > {package}/usr/lib/systemd/system/ollama.service && "
        f"systemctl disable -q ollama; rm {UNIT}; "
        f"dpkg-deb -Znone -b {package} /root/lab.deb && dpkg -i /root/lab.deb && rm -r {package} /root/lab.deb && "
        "systemctl daemon-reload && systemctl enable -q --now ollama",
        timeout=120,
    )
    asked = len(lab.internet.requests())
    wanted: dict[str, Any] = {"models": BOTH, "ollama_adopt": True, "ollama_models_dir": f"{STORE}/kept"}
    wanted["openhands_flavor"] = "off"

    run = fleet.apply("lab-1", **wanted)

    assert run.code == 0, run.said
    assert all(observe.streamed_tokens(clean, model) > 1 for model in BOTH)
    assert blobs(lab, asked) == []
    assert clean.run(f"find {STORE}/kept -not -user ollama").stdout == ""
    assert clean.run("dpkg -V lab-ollama").stdout == ""
    assert serving(clean).split()[1] == "/opt/ollama/0.24.0/bin/ollama"
    assert fleet.apply("lab-1", **wanted).changed("lab-1") == []

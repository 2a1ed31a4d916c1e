"""Prove that a prompt gets an answer: on the host, from containers, and in OpenHands."""

from pyinfra.api import deploy

from fleethands.operations.models import checksums
from fleethands.operations.proof import proof
from fleethands.settings import HostSettings
from fleethands.settings.values import modelfile


@deploy("Proof")
def prove(settings: HostSettings, recorded: HostSettings | None = None, when: str = "changed") -> None:
    always, never = when == "always", when == "never"
    name, recorded = "Get an answer to a prompt", recorded or settings
    proof.prove(name=name, settings=settings, recorded=recorded, force=always, never=never)


@deploy("Proof")
def verify(settings: HostSettings, verify_checksums: bool = False, conversation: bool = False) -> None:
    if verify_checksums:
        checksums.verify(
            name="Verify the models' checksums", settings=settings, modelfiles=modelfile.load_modelfiles(settings)
        )
    proof.prove(name="Get an answer to a prompt", settings=settings, force=True, deep=conversation)

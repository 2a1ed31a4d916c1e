"""A prompt gets an answer: on the host, from inside containers, and OpenHands knows the model."""

from pyinfra.api import deploy

from fleethands.operations.models import checksums
from fleethands.operations.proof import proof
from fleethands.settings import HostSettings
from fleethands.settings.values import modelfile


@deploy("Proof")
def answer_one_prompt(settings: HostSettings, recorded: HostSettings | None = None, when: str = "changed") -> None:
    always, never = when == "always", when == "never"
    name, recorded = "Get an answer to a prompt", recorded or settings
    proof.answered(name=name, settings=settings, recorded=recorded, anew=always, never=never)


@deploy("Proof")
def prove_anew(settings: HostSettings, blobs_too: bool = False, deep: bool = False) -> None:
    if blobs_too:
        checksums.verify(name="Read the models' blobs", settings=settings, modelfiles=modelfile.of(settings))
    proof.answered(name="Get an answer to a prompt", settings=settings, anew=True, deep=deep)

"""A prompt gets an answer: on the host, from inside containers, and OpenHands knows the model."""

from pyinfra.api import deploy

from fleethands.operations import proof
from fleethands.settings import HostSettings


@deploy("Proof")
def answer_one_prompt(settings: HostSettings) -> None:
    proof.answered(name="Get an answer to a prompt", settings=settings)

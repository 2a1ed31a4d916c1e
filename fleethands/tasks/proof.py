"""Prove that a prompt gets an answer: on the host, from containers, and in OpenHands."""

from pyinfra.context import ctx_host

from fleethands import facts
from fleethands.deploy_options import DeployOptions
from fleethands.operations.core.late import Late
from fleethands.operations.models import checksums
from fleethands.operations.proof import proof
from fleethands.settings import HostSettings
from fleethands.settings.values import modelfile
from fleethands.tasks.task import task


@task("Proof", may_fail=True)
def prove(settings: HostSettings, recorded: HostSettings | None = None, when: str | None = None) -> None:
    """
    Prove the host, and write its release record. A host that is proven makes no new proof until something changes.

    + recorded: the settings for the release record; None: the same
    + when: `changed`, `always` or `never`; None: as the command line says, or `changed`
    """
    options = DeployOptions.from_host(ctx_host.get())
    when = when or options.verify
    proof.prove(
        name="Get an answer to a prompt",
        settings=settings,
        recorded=recorded or settings,
        when=when,
        max_slowdown="" if options.rollback_to else str(options.max_slowdown),  # a rollback has no other state to go to
        disturbed=Late(lambda: facts.foreign_changes() > 0),
    )


@task("Proof", may_fail=True)
def verify(settings: HostSettings, verify_checksums: bool = False, conversation: bool = False) -> None:
    """
    Prove the host again, whatever its last proof says. Writes no release record.

    + verify_checksums: also read every byte of the models
    + conversation: also hold a whole conversation in OpenHands
    """
    if verify_checksums:
        checksums.verify(
            name="Verify the models' checksums", settings=settings, modelfiles=modelfile.load_modelfiles(settings)
        )
    proof.prove(name="Get an answer to a prompt", settings=settings, when="always", deep=conversation)

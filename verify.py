"""Prove anew, link by link, that a prompt gets an answer on each host; with `verify_blobs` its models' bytes, too."""

from pyinfra import host

from fleethands import settings as fleet
from tasks import proof

proof.prove_anew(fleet.of(host), blobs_too=bool(host.data.get("verify_blobs")))

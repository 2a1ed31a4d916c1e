"""Prove anew that a prompt gets an answer; `verify_blobs`, `verify_deep`: the models' bytes, a conversation."""

from pyinfra import host

from fleethands import settings as fleet
from tasks import proof

proof.prove_anew(fleet.of(host), blobs_too=bool(host.data.get("verify_blobs")), deep=bool(host.data.get("verify_deep")))

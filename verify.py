"""
Prove again on each host that a prompt gets an answer.

`fleethands_checksums`: read every byte of the models. `fleethands_conversation`: hold a whole conversation in
OpenHands.
"""

from pyinfra import host

from fleethands.deploy_options import DeployOptions
from fleethands.tasks import proof

options = DeployOptions.from_host(host)

proof.verify(verify_checksums=options.checksums, conversation=options.conversation)

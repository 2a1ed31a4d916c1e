"""A deploy for tests: the declared models' blobs read in full, then what is broken or missing pulled."""

from pyinfra import host

from fleethands import settings as fleet
from fleethands.operations import blobs
from fleethands.settings import modelfile
from tasks import models

settings = fleet.of(host)

blobs.verified(name="Read every blob", settings=settings, modelfiles=modelfile.of(settings))
models.pull(settings)

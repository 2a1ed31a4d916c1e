"""What holds for every test."""

from hypothesis import settings

settings.register_profile("shared", deadline=None)  # a machine that others use too is no defect of the code
settings.load_profile("shared")

"""What holds for all tests."""

import os

from hypothesis import settings

# A change must not fail or pass by the luck of the draw; at a desk each run looks elsewhere.
settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    settings.load_profile("ci")

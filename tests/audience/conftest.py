"""What the tests of this room share."""

import pytest

pytest.register_assert_rewrite("audience.kit")

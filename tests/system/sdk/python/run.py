#!/usr/bin/env python3
"""usage: run.py BASE_URL KEY

SDK_CONTROL in the environment: where the sandbox's control calls are, if it is one.
"""

import kit
import objects  # noqa: F401
import protocol  # noqa: F401
import billing  # noqa: F401
import filters  # noqa: F401
import refusals  # noqa: F401

kit.run()

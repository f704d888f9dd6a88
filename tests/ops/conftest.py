"""Lets the tests of this folder import their checks, and treats warnings as errors."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))

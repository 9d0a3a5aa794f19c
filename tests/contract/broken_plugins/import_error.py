"""Needs something that is not installed."""

import punktfunk_no_such_module  # noqa: F401

"""Asserts something about the machine when it is imported."""

raise AssertionError("this is not my machine")

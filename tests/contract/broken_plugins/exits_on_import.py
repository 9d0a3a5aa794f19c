"""Believes that it is a program."""

import sys

sys.exit("usage: exits_on_import FILE")

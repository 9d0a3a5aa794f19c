"""What the person wants done when something happens: `hooks` start programs, `webhooks` tell
web addresses, `targets` says which of those may be told.
"""

from punktfunk.automation.runner import Automation

__all__ = ["Automation"]

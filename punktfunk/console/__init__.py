"""The web console: pages for a person, beside the management API and made of the same values.

Pages are rendered here; whatever they change goes through the API, so that it is checked, noted
and refused in one place.
"""

from punktfunk.console.app import create_console

__all__ = ["create_console"]

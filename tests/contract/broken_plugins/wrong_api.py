"""Written for a host of the future."""

from punktfunk.plugin import Manifest

manifest = Manifest(api=99, title="Wrong API")

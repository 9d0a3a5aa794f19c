"""Has a setting whose default is not of its type."""

from punktfunk.plugin import Manifest, Setting

manifest = Manifest(
    api=1,
    title="Bad manifest",
    settings=(Setting(name="preset", type=int, default="fast", doc="How fast it is."),),
)

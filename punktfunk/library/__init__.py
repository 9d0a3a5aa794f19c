"""Games of all stores and of a person's own, as one list."""

from punktfunk.library.custom import CustomGame, CustomGames, CustomInput
from punktfunk.library.hidden import HiddenGames
from punktfunk.library.library import Library, LibraryChange
from punktfunk.library.stores import StoreState, StoreStatus

__all__ = [
    "CustomGame",
    "CustomGames",
    "CustomInput",
    "HiddenGames",
    "Library",
    "LibraryChange",
    "StoreState",
    "StoreStatus",
]

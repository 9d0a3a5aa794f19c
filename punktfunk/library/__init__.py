"""Games of all stores and of a person's own, as one list."""

from punktfunk.library.custom import CustomGame, CustomGames, CustomInput
from punktfunk.library.library import Library, LibraryChange, StoreState, StoreStatus

__all__ = [
    "CustomGame",
    "CustomGames",
    "CustomInput",
    "Library",
    "LibraryChange",
    "StoreState",
    "StoreStatus",
]

"""The pages, each with its parts that follow what happens."""

from punktfunk.console.pages.home import blueprint as home

ALL = (home,)

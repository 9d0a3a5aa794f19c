"""The routes, one file a tag of the contract; endpoints are named after their operations."""

from punktfunk.mgmt.blueprints import (
    clients,
    console,
    events,
    host,
    library,
    native,
    operations,
    pairing,
    session,
    stats,
    tokens,
)

ALL = (
    host.blueprint,
    clients.blueprint,
    console.blueprint,
    pairing.blueprint,
    native.blueprint,
    session.blueprint,
    library.blueprint,
    events.blueprint,
    stats.blueprint,
    tokens.blueprint,
    operations.blueprint,
)

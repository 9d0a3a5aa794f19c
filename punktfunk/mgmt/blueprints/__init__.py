"""The routes, one file a tag of the contract; endpoints are named after their operations."""

from punktfunk.mgmt.blueprints import clients, host, pairing, session

ALL = (host.blueprint, clients.blueprint, pairing.blueprint, session.blueprint)

"""Figures for a monitoring system."""

from quart import Blueprint, Response
from quart.typing import ResponseReturnValue

from punktfunk.mgmt import requests
from punktfunk.mgmt.metrics import CONTENT_TYPE, exposition

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics", endpoint="getMetrics")
async def get_metrics() -> ResponseReturnValue:
    return Response(exposition(requests.host()), content_type=CONTENT_TYPE)

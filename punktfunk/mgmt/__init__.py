"""The management API: a Quart app that asks a `MgmtHost`, served by Hypercorn.

`openapi.json` is the contract. `gate` decides who may ask, `blueprints` answer, `views` and
`as_json` shape the answers, `refusals` shapes everything else.
"""

"""The probe child's program: `python -m punktfunk.registry.probe`.

Asks plugins what they could do here.
"""

from punktfunk.model.offers import Kind, Offer
from punktfunk.registry.calls import call_alone
from punktfunk.registry.child import Asked, answer_request
from punktfunk.registry.loading import describe
from punktfunk.registry.report import ProbeAnswer, checked_offer, checked_status


def ask(asked: Asked) -> ProbeAnswer:
    """Put every question to one plugin."""
    plugins, record, facts = asked.plugins, asked.record, asked.facts
    offers: list[Offer] = []
    failures: dict[Kind, str] = {}
    problems: list[str] = []
    for kind in Kind:
        hook = f"{kind}_offers"
        try:
            found = call_alone(plugins.manager, record.name, hook, host=facts)
            offers += _checked_offers(hook, kind, found)
        except BaseException as error:  # a plugin may even raise SystemExit
            failures[kind] = f"{hook} failed: {describe(error)}"
            problems.append(failures[kind])
    status = None
    try:
        word = call_alone(plugins.manager, record.name, "plugin_status", host=facts)
        status = None if word is None else checked_status(word)
    except BaseException as error:
        problems.append(f"plugin_status failed: {describe(error)}")
    return ProbeAnswer(
        record=record,
        status=status,
        offers=tuple(offers),
        failures=failures,
        problems=tuple(problems),
    )


def _checked_offers(hook: str, kind: Kind, found: object) -> list[Offer]:
    if found is None:
        return []
    if not isinstance(found, list | tuple):
        raise TypeError(f"{hook} returned a {type(found).__name__}, not a list of Offer")
    for offer in found:
        if not isinstance(offer, Offer):
            raise TypeError(f"{hook} returned a list with a {type(offer).__name__} in it")
        if offer.kind != kind:
            raise ValueError(f"{hook} offers {offer.driver!r} as {offer.kind!r}")
    return [checked_offer(offer) for offer in found]


if __name__ == "__main__":
    answer_request(ask, lambda record: ProbeAnswer(record=record))

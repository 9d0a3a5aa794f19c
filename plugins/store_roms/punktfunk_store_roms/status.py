"""Which systems can be played, and what keeps the others from it."""

from punktfunk.plugin import Availability, HostFacts
from punktfunk_store_roms.plan import Plan, read_plan


def status(host: HostFacts) -> Availability:
    """Say what works; when nothing does, why, and what to do."""
    plan = read_plan(host)
    works = sorted({_described(plan, index) for index in range(len(plan.collections))} - {""})
    problems = "; ".join(
        f"{problem.reason} ({problem.hint})" if works and problem.hint else problem.reason
        for problem in plan.problems
    )
    if works:
        return Availability.yes("; ".join(part for part in (", ".join(works), problems) if part))
    if not plan.problems:
        return Availability.no(
            "no folders are set",
            'write folders = ["snes=/games/snes"] into [plugin.roms] of config.toml',
        )
    hints = dict.fromkeys(problem.hint for problem in plan.problems if problem.hint)
    return Availability.no(problems, "; ".join(hints))


def _described(plan: Plan, index: int) -> str:
    collection = plan.collections[index]
    if collection.template is None:
        return ""
    words = collection.template.words
    program = words[2] if words[:2] == ("flatpak", "run") else collection.template.program
    return f"{collection.system.title} with {program}"

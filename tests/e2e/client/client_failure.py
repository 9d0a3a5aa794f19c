"""The one error the client process reports: which stage failed, with which code."""

from typing import Any


class ClientFailure(Exception):
    """`stage` names the step; `code` is the library's or the host's own number, if there is one."""

    def __init__(self, kind: str, stage: str, message: str, code: int | None = None) -> None:
        super().__init__(f"{stage}: {message}" + ("" if code is None else f" (code {code})"))
        self.kind = kind
        self.stage = stage
        self.message = message
        self.code = code

    def report(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "stage": self.stage,
            "message": self.message,
            "code": self.code,
        }

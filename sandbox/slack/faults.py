"""Which of the next calls go wrong, and how?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(kw_only=True)
class Fault:
    """One way for calls of `method` (or `*`) to fail, `times` times.

    `after_commit` lets the call do its work first and then fail: the outcome the caller cannot know.
    """

    method: str
    times: int = 1
    after_commit: bool = False
    status: int | None = None
    error: str | None = None
    hang: float | None = None
    drop: bool = False
    html: bool = False
    broken_json: bool = False
    retry_after: int | None = None
    where: Callable[[Mapping[str, Any]], bool] | None = None


@dataclass
class Faults:
    """The faults still to happen, in the order they were added."""

    waiting: list[Fault] = field(default_factory=list)

    def add(
        self,
        method: str,
        *,
        times: int = 1,
        after_commit: bool = False,
        status: int | None = None,
        error: str | None = None,
        hang: float | None = None,
        drop: bool = False,
        html: bool = False,
        broken_json: bool = False,
        retry_after: int | None = None,
        where: Callable[[Mapping[str, Any]], bool] | None = None,
    ) -> Fault:
        """Make the next `times` calls of `method` (`*`: any; `where`: those whose arguments match) fail.

        One or more of: `error` (Slack's code, in `{"ok": false}`), `status` (HTTP), `html` (a 503 page unless
        `status` says otherwise), `broken_json` (200 that does not parse), `retry_after` (429, whole seconds),
        `drop` (the connection is cut), `hang` (real seconds before the answer; alone, the answer is the right
        one). Everything happens before the call has any effect, or after it with `after_commit`.
        """
        fault = Fault(
            method=method,
            times=times,
            after_commit=after_commit,
            status=status,
            error=error,
            hang=hang,
            drop=drop,
            html=html,
            broken_json=broken_json,
            retry_after=retry_after,
            where=where,
        )
        self.waiting.append(fault)
        return fault

    def clear(self) -> None:
        self.waiting.clear()

    def take(self, method: str, arguments: Mapping[str, Any]) -> Fault | None:
        """The fault that meets this call, used up by one."""
        for fault in self.waiting:
            if fault.method in (method, "*") and (fault.where is None or fault.where(arguments)):
                fault.times -= 1
                if fault.times <= 0:
                    self.waiting.remove(fault)
                return fault
        return None

"""Alarms of zones: raised when a count stays above a limit, cleared when it stays below another, and delivered."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import subprocess
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from queue import Full, Queue
from time import sleep
from time import time as wall_clock
from typing import Any, Literal, Protocol
from urllib.parse import urlparse

from crowdscale.errors import DataError

__all__ = ["Alarm", "AlarmEvent", "AlarmRule", "Alarms"]

ATTEMPTS = 5
FIRST_WAIT = 0.5
"""Seconds before the second attempt; each further one waits twice as long."""
ANSWER_WITHIN = 5.0
"""Seconds that a webhook has to answer."""
COMMAND_WITHIN = 60.0
WAITING = 100
"""Events that wait for delivery at most: counting never waits for a slow receiver."""
BELOW_SHARE = 0.9
"""An alarm without a lower limit is cleared below this share of the upper one."""


@dataclass(frozen=True)
class AlarmRule:
    """When an alarm is raised, and who is told."""

    above: float
    """People above which it is raised."""
    below: float | None = None
    """People below which it is cleared (hysteresis); 0.9 times ``above`` by default."""
    hold: float = 0.0
    """Seconds that the count must stay beyond a limit."""
    webhook: str | None = None
    """An http or https address that is sent the event as JSON."""
    secret_env: str | None = None
    """Environment variable with the key that signs what the webhook is sent; the key itself is in no file."""
    command: tuple[str, ...] = ()
    """A program and its arguments, run without a shell, with the event as JSON on its input."""

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.above or self.hold < 0:
            raise DataError(
                "expected an alarm with 0 <= below <= above and hold >= 0",
                f"{self.below}, {self.above}, {self.hold}",
            )
        if self.webhook is not None:
            address = urlparse(self.webhook)
            if address.scheme not in ("http", "https") or not address.hostname:
                raise DataError("expected a webhook's http or https address", repr(self.webhook))

    @property
    def low(self) -> float:
        """People below which the alarm is cleared."""
        return BELOW_SHARE * self.above if self.below is None else self.below


@dataclass(frozen=True)
class AlarmEvent:
    """An alarm that was raised or cleared."""

    zone: str
    kind: Literal["raised", "cleared"]
    people: float
    time: float
    """Seconds of the video."""
    above: float
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    """The same in every attempt to deliver it, so that a receiver can tell a repetition."""
    sent: float = field(default_factory=wall_clock)
    """Wall clock, seconds since 1970."""


@dataclass
class Alarm:
    """One zone's alarm: a state and since when the count is beyond the limit that would change it."""

    rule: AlarmRule
    raised: bool = False
    _since: float | None = None

    def update(self, seconds: float, people: float) -> Literal["raised", "cleared"] | None:
        """Take in a count; return what it changed."""
        beyond = people < self.rule.low if self.raised else people > self.rule.above
        if not beyond:
            self._since = None
            return None
        if self._since is None:
            self._since = seconds
        if seconds - self._since < self.rule.hold:
            return None
        self.raised, self._since = not self.raised, None
        return "raised" if self.raised else "cleared"


class Counted(Protocol):
    """A zone's name and people."""

    @property
    def name(self) -> str:
        """The zone."""
        ...

    @property
    def people(self) -> float:
        """In the zone."""
        ...


class Alarms:
    """The alarms of some zones and their delivery, on a thread of its own.

    Args:
        rules: By the zone's name.
    """

    def __init__(self, rules: Mapping[str, AlarmRule]) -> None:
        self.alarms = {name: Alarm(rule) for name, rule in rules.items()}
        self.problems: list[str] = []
        """What could not be delivered, a sentence each."""
        self._queue: Queue[AlarmEvent | None] = Queue(WAITING)
        self._thread = threading.Thread(target=self._deliver_all, daemon=True)
        self._thread.start()

    @property
    def raised(self) -> set[str]:
        """Zones whose alarm stands."""
        return {name for name, alarm in self.alarms.items() if alarm.raised}

    def update(self, seconds: float, counts: Sequence[Counted]) -> list[AlarmEvent]:
        """Take in the counts of a moment; return and send off what they changed."""
        events = []
        for each in counts:
            alarm = self.alarms.get(each.name)
            kind = alarm.update(seconds, each.people) if alarm else None
            if alarm and kind:
                events.append(AlarmEvent(each.name, kind, round(each.people, 2), seconds, alarm.rule.above))
        for event in events:
            try:
                self._queue.put_nowait(event)
            except Full:
                self.problems.append(
                    f"expected the alarm of {event.zone} to be sent, but got {WAITING} waiting."
                )
        return events

    def close(self, timeout: float = 30.0) -> None:
        """Deliver what waits, for at most ``timeout`` seconds."""
        self._queue.put(None)
        self._thread.join(timeout)
        if self._thread.is_alive():
            self.problems.append("expected all alarms to be delivered, but got no answer in time.")

    def _deliver_all(self) -> None:
        while (event := self._queue.get()) is not None:
            rule = self.alarms[event.zone].rule
            body = json.dumps({"source": "crowdscale", **asdict(event)}).encode()
            for deliver in (_post, _run):
                problem = deliver(rule, body)
                if problem:
                    self.problems.append(
                        f"expected the alarm of {event.zone} to be delivered, but got {problem}."
                    )


def _post(rule: AlarmRule, body: bytes) -> str:
    """Send an event, several times if need be; return what went wrong, or nothing."""
    if rule.webhook is None:
        return ""
    headers = {"Content-Type": "application/json", "User-Agent": "crowdscale"}
    if rule.secret_env:
        key = os.environ.get(rule.secret_env)
        if not key:
            return f"no key in the environment variable {rule.secret_env}"
        headers["X-Crowdscale-Signature"] = (
            f"sha256={hmac.new(key.encode(), body, hashlib.sha256).hexdigest()}"
        )
    problem = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            sleep(FIRST_WAIT * 2 ** (attempt - 1))
        request = urllib.request.Request(rule.webhook, body, headers, method="POST")
        try:
            with _OPENER.open(request, timeout=ANSWER_WITHIN) as answer:
                answer.read(1024)
            return ""
        except (urllib.error.URLError, OSError, ValueError) as error:
            problem = f"{error} from {rule.webhook} in {attempt + 1} attempts"
            if (
                isinstance(error, urllib.error.HTTPError)
                and 400 <= error.code < 500
                and error.code not in (408, 429)
            ):
                return problem  # the receiver understood, and refuses: it would again
    return problem


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: what was signed for one address is shown to no other."""

    def redirect_request(self, *_: Any) -> None:
        """Refuse."""


_OPENER = urllib.request.build_opener(_NoRedirect)


def _run(rule: AlarmRule, body: bytes) -> str:
    """Run the command; return what went wrong, or nothing."""
    if not rule.command:
        return ""
    try:
        done = subprocess.run(
            rule.command, input=body, capture_output=True, timeout=COMMAND_WITHIN, check=False
        )
    except (OSError, subprocess.SubprocessError) as error:
        return f"{error} from the command {rule.command[0]}"
    return "" if done.returncode == 0 else f"exit code {done.returncode} from the command {rule.command[0]}"

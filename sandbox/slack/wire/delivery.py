"""How do people's actions and events reach the app, and what did the app answer in which time?"""

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import aiohttp

from sandbox.slack.elements import Json, NotPossible
from sandbox.slack.state import SlackState
from sandbox.slack.wire.sockets import Sockets

DEADLINE_SECONDS = 3.0
"""Slack wants an answer within this time (Events API and interactivity alike)."""
PATIENCE_SECONDS = 10.0
"""How long the stand-in listens for a late answer to an interaction, so that a test can see how late."""
RETRIES = 3


@dataclass(frozen=True, kw_only=True)
class Acknowledgement:
    """What the app answered: HTTP status (0: nothing), body, its JSON if it is an object, real seconds.

    `ts` is the message's when a person wrote one. `is_delivered` is False for what Slack does not tell the
    app, such as a message in a channel the bot is not in.
    """

    status: int
    body: str = ""
    seconds: float = 0.0
    payload: Json | None = None
    ts: str | None = None
    is_delivered: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_good(self) -> bool:
        """Whether Slack counts this as acknowledged: 2xx within three seconds."""
        return 200 <= self.status < 300 and self.seconds <= DEADLINE_SECONDS

    @property
    def retry_reason(self) -> str:
        """What Slack says in `x-slack-retry-reason` after this answer."""
        if self.status == 0:
            return "connection_failed" if self.seconds < DEADLINE_SECONDS else "http_timeout"
        return "http_timeout" if self.seconds > DEADLINE_SECONDS else "http_error"


@dataclass
class Undelivered:
    """An event the app has not acknowledged yet, after `attempts` retries."""

    envelope: Json
    reason: str
    attempts: int = 0


class Delivery:
    """Signed requests to `request_url`, or envelopes on a connected socket when there is one."""

    def __init__(
        self,
        slack: SlackState,
        sockets: Sockets,
        *,
        request_url: str | None,
        signing_time: Callable[[], datetime] | None,
    ) -> None:
        self.slack = slack
        self.sockets = sockets
        self.request_url = request_url
        self.signing_time = signing_time
        self.undelivered: list[Undelivered] = []

    async def interaction(self, payload: Json) -> Acknowledgement:
        """A press, a submission, a shortcut, a request for options: form field `payload`; not retried."""
        if self.sockets.are_connected:
            return await self._by_socket("interactive", payload)
        return await self._form({"payload": json.dumps(payload, ensure_ascii=False)})

    async def command(self, fields: Mapping[str, str]) -> Acknowledgement:
        """A slash command: plain form fields; not retried."""
        if self.sockets.are_connected:
            return await self._by_socket("slash_commands", dict(fields))
        return await self._form(fields)

    async def event(self, envelope: Json) -> Acknowledgement:
        """An event's first delivery; when it is not acknowledged it waits for `redeliver`."""
        answer = await self._event(envelope)
        if not answer.is_good:
            self.undelivered.append(Undelivered(envelope, answer.retry_reason))
        return answer

    async def redeliver(self) -> list[Acknowledgement]:
        """Send every unacknowledged event once more; three times at most, as Slack does."""
        waiting, self.undelivered = self.undelivered, []
        answers = []
        for each in waiting:
            each.attempts += 1
            answer = await self._event(each.envelope, attempt=each.attempts, reason=each.reason)
            answers.append(answer)
            stopped = answer.headers.get("x-slack-no-retry") == "1" or each.attempts >= RETRIES
            if not answer.is_good and not stopped:
                each.reason = answer.retry_reason
                self.undelivered.append(each)
        return answers

    async def _event(self, envelope: Json, *, attempt: int = 0, reason: str = "") -> Acknowledgement:
        if self.sockets.are_connected:
            return await self._by_socket("events_api", envelope, attempt=attempt, reason=reason)
        headers = {"Content-Type": "application/json"}
        if attempt:
            headers |= {"x-slack-retry-num": str(attempt), "x-slack-retry-reason": reason}
        body = json.dumps(envelope, ensure_ascii=False).encode()
        return await self._send(body, headers, patience=DEADLINE_SECONDS + 0.2)

    async def _form(self, fields: Mapping[str, str]) -> Acknowledgement:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return await self._send(urlencode(fields).encode(), headers, patience=PATIENCE_SECONDS)

    async def _by_socket(
        self, kind: str, payload: Json, *, attempt: int = 0, reason: str = ""
    ) -> Acknowledgement:
        started = time.monotonic()
        answer = await self.sockets.deliver(
            kind, payload, attempt=attempt, reason=reason, patience=DEADLINE_SECONDS
        )
        seconds = time.monotonic() - started
        if answer is None:
            return Acknowledgement(status=0, seconds=seconds)
        body = json.dumps(answer, ensure_ascii=False) if answer else ""
        return Acknowledgement(status=200, body=body, seconds=seconds, payload=answer or None)

    async def _send(self, body: bytes, headers: dict[str, str], *, patience: float) -> Acknowledgement:
        if self.request_url is None:
            raise NotPossible("the app has neither a request_url nor a connected socket")
        signed = {
            **headers,
            **self._signature(body),
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        }
        timeout = aiohttp.ClientTimeout(total=patience)
        started = time.monotonic()
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(self.request_url, data=body, headers=signed) as response,
            ):
                text = await response.text()
                return Acknowledgement(
                    status=response.status,
                    body=text,
                    seconds=time.monotonic() - started,
                    payload=_object(text),
                    headers={key.lower(): value for key, value in response.headers.items()},
                )
        except (TimeoutError, aiohttp.ClientError):
            return Acknowledgement(status=0, seconds=time.monotonic() - started)

    def _signature(self, body: bytes) -> dict[str, str]:
        """Signed with the machine's time unless told otherwise: the app's check compares with that."""
        if self.signing_time is not None:
            timestamp = int(self.signing_time().timestamp())
        else:
            timestamp = int(time.time())  # noqa: TID251 - the verifier in slack_sdk reads the same clock
        base = b"v0:%d:%s" % (timestamp, body)
        digest = hmac.new(self.slack.signing_secret.encode(), base, hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": str(timestamp), "X-Slack-Signature": f"v0={digest}"}


def _object(text: str) -> Json | None:
    try:
        read: Any = json.loads(text)
    except ValueError:
        return None
    return read if isinstance(read, dict) else None

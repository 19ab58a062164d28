"""How does LINE take messages: push, reply, multicast, broadcast, their checks and their counts?"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bot.line.limits import (
    Problem,
    validate_broadcast,
    validate_multicast,
    validate_push,
    validate_reply,
)
from sandbox.exchange import Answer, Call, Declined, Exchange
from sandbox.line.channel import JST, RETRY_KEY_LIVES, Accepted, Channel, fingerprint
from sandbox.line.people import Person
from sandbox.line.routes import Endpoint, Route, declined

ACCEPTED_ID = "x-line-accepted-request-id"
UNITS_A_MONTH = 1000
PRIVACY_FLOOR = 20
SPAN_DAYS = 30
_DAY = "%Y%m%d"


async def push(channel: Channel, call: Call, exchange: Exchange) -> Answer:
    """POST /v2/bot/message/push: counted when the person can be reached, accepted either way."""
    body = call.json
    if repeated := _repeated(channel, call, exchange):
        return Answer(
            409,
            {"message": "The retry key is already accepted", "sentMessages": list(repeated.sent)},
            {ACCEPTED_ID: repeated.request_id},
        )
    _refuse(_recipient_problems(validate_push(body)))
    if body["to"] not in channel.people:
        raise Declined(400, {"message": "Failed to send messages"})
    sent = _send(channel, call, [channel.people[body["to"]]], via="push")
    return Answer(200, {"sentMessages": list(sent)})


async def reply(channel: Channel, call: Call, _exchange: Exchange) -> Answer:
    """POST /v2/bot/message/reply: free, one use of the token."""
    body = call.json
    _refuse(validate_reply(body))
    person = channel.take_reply_token(body["replyToken"])
    sent = channel.show(
        [person],
        body["messages"],
        via="reply",
        request_id=call.request_id,
        is_silent=body.get("notificationDisabled", False),
    )
    return Answer(200, {"sentMessages": list(sent)})


async def multicast(channel: Channel, call: Call, exchange: Exchange) -> Answer:
    """POST /v2/bot/message/multicast: all recipients or none; ids of another provider are refused."""
    body = call.json
    if repeated := _repeated(channel, call, exchange):
        return _repeated_without_ids(repeated)
    _refuse(_recipient_problems(validate_multicast(body)))
    if not all(user_id in channel.people for user_id in body["to"]):
        raise Declined(400, {"message": "Failed to send messages"})
    _send(channel, call, [channel.people[user_id] for user_id in dict.fromkeys(body["to"])], via="multicast")
    return Answer(200, {})


async def broadcast(channel: Channel, call: Call, exchange: Exchange) -> Answer:
    """POST /v2/bot/message/broadcast: every friend."""
    if repeated := _repeated(channel, call, exchange):
        return _repeated_without_ids(repeated)
    _refuse(validate_broadcast(call.json))
    friends = [person for person in channel.people.values() if person.is_friend]
    _send(channel, call, friends, via="broadcast")
    return Answer(200, {})


async def narrowcast(_channel: Channel, _call: Call, _exchange: Exchange) -> Answer:
    """POST /v2/bot/message/narrowcast: no sandbox account reaches the audience LINE asks for."""
    raise Declined(403, {"message": "Your account does not have enough friends"})


def validating(validate: Callable[[Mapping[str, Any]], list[Problem]], filled: Mapping[str, Any]) -> Endpoint:
    """POST /v2/bot/message/validate/*: message objects only, nothing is sent."""

    async def endpoint(_channel: Channel, call: Call, _exchange: Exchange) -> Answer:
        _refuse([p for name in call.json if name != "messages" for p in [Problem(name, "unknown field")]])
        _refuse(validate({**filled, "messages": call.json.get("messages")}))
        return Answer(200, {})

    return endpoint


async def quota(channel: Channel, _call: Call, _exchange: Exchange) -> Answer:
    if channel.quota is None:
        return Answer(200, {"type": "none"})
    return Answer(200, {"type": "limited", "value": channel.quota})


async def consumption(channel: Channel, _call: Call, _exchange: Exchange) -> Answer:
    return Answer(200, {"totalUsage": channel.used[channel.month()]})


async def delivered(channel: Channel, call: Call, _exchange: Exchange) -> Answer:
    """GET /v2/bot/message/delivery/{kind}: known from the next day on, by days in Japan."""
    date = _day_asked(call)
    if date >= call.at.astimezone(JST).strftime(_DAY):
        return Answer(200, {"status": "unready"})
    return Answer(200, {"status": "ready", "success": channel.sent[call.params["kind"], date]})


async def aggregation_usage(channel: Channel, _call: Call, _exchange: Exchange) -> Answer:
    return Answer(200, {"numOfCustomAggregationUnits": len(_units(channel))})


async def aggregation_names(channel: Channel, _call: Call, _exchange: Exchange) -> Answer:
    return Answer(200, {"customAggregationUnits": _units(channel)})


async def aggregated_events(channel: Channel, call: Call, _exchange: Exchange) -> Answer:
    """GET /v2/bot/insight/message/event/aggregation: values below twenty people are null."""
    name = call.query.get("customAggregationUnit", "")
    if not name or not call.query.get("from") or not call.query.get("to"):
        raise declined([Problem("customAggregationUnit", "May not be empty")])
    first, last = [
        datetime.strptime(_day_asked(call, each), _DAY)  # noqa: DTZ007  calendar days
        for each in ("from", "to")
    ]
    if not 0 <= (last - first).days < SPAN_DAYS:
        raise Declined(400, {"message": None})
    reached = sum(count for (_, unit), count in channel.units.items() if unit == name)
    shown = None if reached < PRIVACY_FLOOR else reached
    overview = {
        "uniqueImpression": shown,
        "uniqueClick": None,
        "uniqueMediaPlayed": None,
        "uniqueMediaPlayed100Percent": None,
    }
    return Answer(200, {"overview": overview, "messages": [], "clicks": []})


async def followers(channel: Channel, call: Call, _exchange: Exchange) -> Answer:
    """GET /v2/bot/insight/followers: known from the next day on; `followers` never falls."""
    date = _day_asked(call)
    if date >= call.at.astimezone(JST).strftime(_DAY):
        return Answer(200, {"status": "unready"})
    people = channel.people.values()
    known = [person for person in people if person.is_friend or person.has_blocked]
    return Answer(
        200,
        {
            "status": "ready",
            "followers": len(known),
            "targetedReaches": sum(person.is_friend and not person.has_blocked for person in known),
            "blocks": sum(person.has_blocked for person in known),
        },
    )


def _day_asked(call: Call, name: str = "date") -> str:
    date = call.query.get(name, "")
    try:
        datetime.strptime(date, _DAY)  # noqa: DTZ007  a calendar day
    except ValueError:
        raise declined([Problem(name, "Must be yyyyMMdd")]) from None
    return date


def _units(channel: Channel) -> list[str]:
    return sorted(unit for month, unit in channel.units if month == channel.month())


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise declined(problems)


def _recipient_problems(problems: list[Problem]) -> list[Problem]:
    """A malformed recipient has its own words; everything else is listed."""
    for problem in problems:
        if problem.property.partition("[")[0] == "to" and problem.message.startswith("Must match"):
            words = "The property, 'to', in the request body is invalid (line: -, column: -)"
            raise Declined(400, {"message": words})
    return problems


def _repeated(channel: Channel, call: Call, exchange: Exchange) -> Accepted | None:
    """The request accepted under this retry key in the last 24 hours, noting misuse in the journal."""
    key = call.headers.get("x-line-retry-key")
    if key is None or (known := channel.accepted.get(key)) is None:
        return None
    is_same = known.fingerprint == fingerprint(call.path, call.json)
    if call.at - known.at >= RETRY_KEY_LIVES:
        exchange.contract_violation = "retry key used again after 24 hours: sent a second time"
        return None
    if not is_same:
        exchange.contract_violation = "retry key used for another request: the second one is never sent"
    return known


def _repeated_without_ids(repeated: Accepted) -> Answer:
    return Answer(409, {"message": "The retry key is already accepted"}, {ACCEPTED_ID: repeated.request_id})


def _send(channel: Channel, call: Call, people: list[Person], *, via: str) -> tuple[dict[str, str], ...]:
    body = call.json
    reached = channel.count(people)
    sent = channel.show(
        reached,
        body["messages"],
        via=via,
        request_id=call.request_id,
        is_silent=body.get("notificationDisabled", False),
    )
    month = channel.month()
    for unit in body.get("customAggregationUnits", ()):
        if (month, unit) in channel.units or len(_units(channel)) < UNITS_A_MONTH:
            channel.units[month, unit] += len(reached)
    if key := call.headers.get("x-line-retry-key"):
        channel.accepted[key] = Accepted(call.at, call.request_id, fingerprint(call.path, body), sent)
    return sent


_TO_ANYONE = f"U{'0' * 32}"
_MESSAGE = "/v2/bot/message"

ROUTES = (
    Route("POST", f"{_MESSAGE}/push", push, takes_retry_key=True),
    Route("POST", f"{_MESSAGE}/reply", reply),
    Route("POST", f"{_MESSAGE}/multicast", multicast, takes_retry_key=True),
    Route("POST", f"{_MESSAGE}/broadcast", broadcast, takes_retry_key=True),
    Route("POST", f"{_MESSAGE}/narrowcast", narrowcast, takes_retry_key=True),
    Route("POST", f"{_MESSAGE}/validate/push", validating(validate_push, {"to": _TO_ANYONE})),
    Route("POST", f"{_MESSAGE}/validate/reply", validating(validate_reply, {"replyToken": "-"})),
    Route("POST", f"{_MESSAGE}/validate/multicast", validating(validate_multicast, {"to": [_TO_ANYONE]})),
    Route("POST", f"{_MESSAGE}/validate/broadcast", validating(validate_broadcast, {})),
    Route("POST", f"{_MESSAGE}/validate/narrowcast", validating(validate_broadcast, {})),
    Route("GET", f"{_MESSAGE}/quota", quota),
    Route("GET", f"{_MESSAGE}/quota/consumption", consumption),
    Route("GET", f"{_MESSAGE}/delivery/{{kind}}", delivered),
    Route("GET", f"{_MESSAGE}/aggregation/info", aggregation_usage),
    Route("GET", f"{_MESSAGE}/aggregation/list", aggregation_names),
    Route("GET", "/v2/bot/insight/message/event/aggregation", aggregated_events),
    Route("GET", "/v2/bot/insight/followers", followers),
)

"""How does LINE answer what is not sending: profiles, bot, loading, reading, content, webhook settings?"""

import re
from datetime import timedelta
from urllib.parse import urlsplit

from bot.line.limits import Problem
from sandbox.exchange import Answer, Call, Declined, Exchange
from sandbox.line.channel import LINK_TOKEN_LIVES, Channel
from sandbox.line.routes import Route, declined, read_json
from sandbox.line.webhooks import Webhooks

NOT_FOUND = {"message": "Not found"}
_USER_ID = re.compile("U[0-9a-f]{32}")
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


async def profile(channel: Channel, call: Call, _exchange: Exchange) -> Answer:
    """GET /v2/bot/profile/{userId}: friends, or those who wrote; 404 after a block."""
    user_id = call.params["userId"]
    if not _USER_ID.fullmatch(user_id):
        raise Declined(400, {"message": "The value for the 'userId' parameter is invalid"})
    person = channel.people.get(user_id)
    if person is None or not person.has_open_profile():
        raise Declined(404, NOT_FOUND)
    shown = {"userId": user_id, "displayName": person.display_name, "language": person.language}
    return Answer(200, shown | ({"pictureUrl": person.picture_url} if person.picture_url else {}))


async def bot_info(channel: Channel, _call: Call, _exchange: Exchange) -> Answer:
    return Answer(
        200,
        {
            "userId": channel.bot_user_id,
            "basicId": channel.basic_id,
            "displayName": channel.display_name,
            "chatMode": "bot",
            "markAsReadMode": "manual",
        },
    )


async def followers(channel: Channel, call: Call, _exchange: Exchange) -> Answer:
    """GET /v2/bot/followers/ids: verified accounts only; without those who blocked."""
    if not channel.is_verified:
        raise Declined(403, {"message": "Access to this API is not available for your account"})
    limit, start = call.query.get("limit", "300"), call.query.get("start", "0")
    if not limit.isdigit() or not 1 <= int(limit) <= 1000 or not start.isdigit():
        raise declined([Problem("limit", "Must be between 1 and 1000")])
    ids = [p.user_id for p in channel.people.values() if p.is_friend and not (p.has_blocked or p.is_deleted)]
    end = int(start) + int(limit)
    page: dict[str, object] = {"userIds": ids[int(start) : end]}
    return Answer(200, page | ({"next": str(end)} if end < len(ids) else {}))


async def start_loading(channel: Channel, call: Call, _exchange: Exchange) -> Answer:
    """POST /v2/bot/chat/loading/start: people only, 5 to 60 seconds in steps of five."""
    body = call.json
    problems = [Problem(name, "unknown field") for name in body if name not in {"chatId", "loadingSeconds"}]
    chat_id, seconds = body.get("chatId"), body.get("loadingSeconds", 20)
    if not isinstance(chat_id, str) or not chat_id:
        problems.append(Problem("chatId", "May not be empty"))
    elif not _USER_ID.fullmatch(chat_id):
        words = "Only user id is acceptable, group id or room id is not supported"
        problems.append(Problem("chatId", words))
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 5 <= seconds <= 60:
        problems.append(Problem("loadingSeconds", "must be between 5 and 60"))
    elif seconds % 5:
        problems.append(Problem("loadingSeconds", "must be a multiple of five"))
    if problems:
        raise declined(problems)
    if person := channel.people.get(body["chatId"]):
        person.loading_until = call.at + timedelta(seconds=seconds)
    return Answer(202, {})


async def mark_as_read(channel: Channel, call: Call, _exchange: Exchange) -> Answer:
    """POST /v2/bot/chat/markAsRead: everything up to the token's message."""
    known = channel.read_tokens.get(str(call.json.get("markAsReadToken")))
    if known is None or set(call.json) != {"markAsReadToken"}:
        raise declined([Problem("markAsReadToken", "Invalid mark as read token")])
    user_id, message_id = known
    for bubble in channel.people[user_id].bubbles:
        bubble.is_read = bubble.is_read or bubble.by == "person"
        if bubble.id == message_id:
            break
    return Answer(200, {})


async def link_token(channel: Channel, call: Call, _exchange: Exchange) -> Answer:
    """POST /v2/bot/user/{userId}/linkToken: ten minutes, one use."""
    person = channel.people.get(call.params["userId"])
    if person is None or not person.has_open_profile():
        raise Declined(404, NOT_FOUND)
    token = channel.ids.token()[:32]
    channel.link_tokens[token] = (person.user_id, call.at + LINK_TOKEN_LIVES)
    return Answer(200, {"linkToken": token})


def leaving(kind: str) -> Route:
    """POST /v2/bot/group/{groupId}/leave and /v2/bot/room/{roomId}/leave: 404 where the account is not in."""

    async def leave(channel: Channel, call: Call, _exchange: Exchange) -> Answer:
        if channel.groups.get(call.params["id"]) != kind:
            raise Declined(404, NOT_FOUND)
        del channel.groups[call.params["id"]]
        return Answer(200, {})

    return Route("POST", f"/v2/bot/{kind}/{{id}}/leave", leave, takes_json=False)


async def content(channel: Channel, call: Call, _exchange: Exchange) -> Answer:
    """GET .../content and .../content/preview: 202 while being prepared, 404 when there is none."""
    message_id = call.params["messageId"]
    if channel.preparing[message_id] > 0:
        channel.preparing[message_id] -= 1
        return Answer(202, {})
    if message_id not in channel.contents:
        raise Declined(404, NOT_FOUND)
    body, media_type = channel.contents[message_id]
    return Answer(200, body, media_type=media_type)


async def transcoding(channel: Channel, call: Call, _exchange: Exchange) -> Answer:
    message_id = call.params["messageId"]
    if message_id not in channel.contents:
        raise Declined(404, NOT_FOUND)
    return Answer(200, {"status": "processing" if channel.preparing[message_id] > 0 else "succeeded"})


async def webhook_endpoint(channel: Channel, _call: Call, _exchange: Exchange) -> Answer:
    if channel.webhook_url is None:
        raise Declined(404, NOT_FOUND)
    return Answer(200, {"endpoint": channel.webhook_url, "active": True})


async def set_webhook_endpoint(channel: Channel, call: Call, _exchange: Exchange) -> Answer:
    """PUT /v2/bot/channel/webhook/endpoint: https only, except on this machine's own loopback."""
    url = call.json.get("endpoint")
    if not isinstance(url, str) or len(url) > 500 or not _may_be_webhook(url):
        raise declined([Problem("endpoint", "Invalid webhook endpoint URL")])
    channel.webhook_url = url
    return Answer(200, {})


def testing_webhook(webhooks: Webhooks) -> Route:
    """POST /v2/bot/channel/webhook/test: delivers an empty list of events and reports."""

    async def test(channel: Channel, call: Call, _exchange: Exchange) -> Answer:
        configured = channel.webhook_url
        asked = read_json(call) if call.body else {}
        if not isinstance(asked, dict) or not isinstance(asked.get("endpoint", ""), str):
            raise declined([Problem("endpoint", "Invalid webhook endpoint URL")])
        channel.webhook_url = asked.get("endpoint", configured)
        try:
            delivery = await webhooks.deliver([])
        finally:
            channel.webhook_url = configured
        reason = "OK" if delivery.is_ok else (delivery.reason or "UNCLASSIFIED").upper()
        return Answer(
            200,
            {
                "success": delivery.is_ok,
                "timestamp": call.at.isoformat(timespec="milliseconds"),
                "statusCode": delivery.status or 0,
                "reason": reason,
                "detail": str(delivery.status or reason),
            },
        )

    return Route("POST", "/v2/bot/channel/webhook/test", test, takes_json=False)


def _may_be_webhook(url: str) -> bool:
    parts = urlsplit(url)
    return bool(parts.hostname) and (parts.scheme == "https" or parts.hostname in _LOOPBACK)


ROUTES = (
    Route("GET", "/v2/bot/profile/{userId}", profile),
    Route("GET", "/v2/bot/info", bot_info),
    Route("GET", "/v2/bot/followers/ids", followers),
    Route("POST", "/v2/bot/chat/loading/start", start_loading),
    Route("POST", "/v2/bot/chat/markAsRead", mark_as_read),
    Route("POST", "/v2/bot/user/{userId}/linkToken", link_token, takes_json=False),
    leaving("group"),
    leaving("room"),
    Route("GET", "/v2/bot/message/{messageId}/content", content),
    Route("GET", "/v2/bot/message/{messageId}/content/preview", content),
    Route("GET", "/v2/bot/message/{messageId}/content/transcoding", transcoding),
    Route("GET", "/v2/bot/channel/webhook/endpoint", webhook_endpoint),
    Route("PUT", "/v2/bot/channel/webhook/endpoint", set_webhook_endpoint),
)

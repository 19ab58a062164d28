"""The door for slash commands: acknowledged at once, answered through the address Slack gives."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp

from bot.deps import Deps
from bot.errors import Refused
from bot.flows.leads.away import away, back, sign
from bot.flows.leads.list_leads import list_leads
from bot.flows.replies.editing import open_editing
from bot.flows.replies.reply import reply
from bot.flows.rules.why import why
from bot.flows.staff.acting import actor_of
from bot.slack.ids import Command
from bot.slack.modals import Place
from bot.slack.mrkdwn import cut, escaped
from handlers.boundary import Errands, Tell, guarded

log = structlog.get_logger()

Respond = Callable[..., Awaitable[Any]]
Story = Callable[[Mapping[str, Any], Respond], Awaitable[None]]


def register(app: AsyncApp, deps: Deps, errands: Errands) -> None:
    """`/leads`, `/reply`, `/why`, `/followups`."""

    async def on_leads(body: Mapping[str, Any], respond: Respond) -> None:
        actor = await actor_of(deps, str(body.get("user_id")))
        word, _, rest = str(body.get("text") or "").strip().partition(" ")
        match word.lower():
            case "away":
                text = await away(deps, actor, rest)
            case "back":
                text = await back(deps, actor)
            case "name":
                text = await sign(deps, actor, rest)
            case _:
                text = await list_leads(deps, actor)
        await respond(text=text, response_type="ephemeral")

    async def on_reply(body: Mapping[str, Any], respond: Respond) -> None:
        assert deps.slack is not None
        actor = await actor_of(deps, str(body.get("user_id")))
        target = await reply(deps, actor, str(body.get("text") or ""))
        place = Place(target=target, channel=body.get("channel_id"), language=actor.profile.language)
        view = await open_editing(deps, actor, place)
        await deps.slack.open_view(trigger_id=str(body.get("trigger_id")), view=view)

    async def on_why(body: Mapping[str, Any], respond: Respond) -> None:
        actor = await actor_of(deps, str(body.get("user_id")))
        customer, _, rule_id = str(body.get("text") or "").strip().partition(" ")
        if not customer:
            raise _HOW[Command.WHY]
        lines = await why(deps, customer, rule_id.strip() or None, language=actor.profile.language)
        await respond(text=escaped(cut("\n".join(lines), 2_500)), response_type="ephemeral")

    async def on_other(body: Mapping[str, Any], respond: Respond) -> None:
        raise _HOW[Command(str(body.get("command")))]

    stories: Mapping[Command, Story] = {
        Command.LEADS: on_leads,
        Command.REPLY: on_reply,
        Command.WHY: on_why,
        Command.FOLLOWUPS: on_other,
    }

    async def on_command(
        ack: Callable[..., Awaitable[object]], body: Mapping[str, Any], respond: Respond
    ) -> None:
        await ack()
        command = Command(str(body.get("command")))
        tell = _responder(deps, str(body.get("user_id")), respond)
        work = guarded(command.value, lambda: stories[command](body, respond), ids=deps.ids, tell=tell)
        errands.start(work)

    for command in stories:
        app.command(command.value)(on_command)


def _responder(deps: Deps, slack_user_id: str, respond: Respond) -> Tell:
    async def tell(refused: Refused) -> None:
        assert deps.slack is not None
        profile = await deps.slack.profile(slack_user_id)
        answer = await respond(text=refused.in_language(profile.language), response_type="ephemeral")
        if answer.status_code >= 300:
            log.warning("command.not_answered", status=answer.status_code)

    return tell


_HOW = {
    Command.WHY: Refused(
        "`/why お客様ID [規則]` と書くと、送った・送らなかった理由が分かります。",
        "`/why CUSTOMER [RULE]` tells why something was sent or not.",
    ),
    Command.FOLLOWUPS: Refused(
        "`yorisoi rules list` で、規則とその状態が分かります。",
        "`yorisoi rules list` shows rules and their states.",
    ),
}

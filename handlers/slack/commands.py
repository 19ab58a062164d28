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
from bot.flows.staff.acting import actor_of
from bot.flows.staff.explain import explain
from bot.flows.steering.leading import lead_of
from bot.flows.steering.list_rules import list_rules
from bot.slack.ids import Command
from bot.slack.modals import Place
from bot.slack.mrkdwn import unescaped
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
        asked = unescaped(str(body.get("text") or "")).strip()
        if not asked:
            raise _HOW[Command.WHY]
        written = await explain(deps, asked, language=actor.profile.language)
        await respond(text=written.text, blocks=written.blocks, response_type="ephemeral")

    async def on_followups(body: Mapping[str, Any], respond: Respond) -> None:
        actor = await lead_of(deps, str(body.get("user_id")))
        written = await list_rules(deps, language=actor.profile.language)
        await respond(text=written.text, blocks=written.blocks, response_type="ephemeral")

    stories: Mapping[Command, Story] = {
        Command.LEADS: on_leads,
        Command.REPLY: on_reply,
        Command.WHY: on_why,
        Command.FOLLOWUPS: on_followups,
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
        "`/why 名前かID [規則]` と書くと、送った・送らなかった理由が分かります。",
        "`/why NAME_OR_ID [RULE]` tells why something was sent or not.",
    ),
}

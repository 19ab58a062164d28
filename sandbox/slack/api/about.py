"""Who is calling, in which workspace, and would these blocks be accepted?"""

from collections.abc import Callable
from typing import Any

from bot.slack.limits import Problem, validate_blocks, validate_message, validate_view
from sandbox.slack.calls import Call, Refused, invalid_arguments, method
from sandbox.slack.elements import Json
from sandbox.slack.state import SlackState


@method("auth.test")
def auth_test(slack: SlackState, call: Call) -> Json:
    bot = slack.workspace.bot
    return {
        "url": "https://sandbox.slack.com/",
        "team": "Sandbox",
        "user": bot.name,
        "team_id": slack.workspace.team_id,
        "user_id": bot.id,
        "bot_id": slack.workspace.bot_id,
        "is_enterprise_install": False,
    }


@method("api.test", by=None)
def api_test(slack: SlackState, call: Call) -> Json:
    if call.text("error"):
        raise Refused(str(call.text("error")))
    return {"args": call.arguments}


@method("team.info", "team:read", tier=3)
def team_info(slack: SlackState, call: Call) -> Json:
    return {"team": {"id": slack.workspace.team_id, "name": "Sandbox", "domain": "sandbox", "plan": "pro"}}


@method("bots.info", "users:read", tier=3)
def bots_info(slack: SlackState, call: Call) -> Json:
    workspace = slack.workspace
    if call.text("bot") not in (None, workspace.bot_id):
        raise Refused("bot_not_found")
    return {
        "bot": {
            "id": workspace.bot_id,
            "deleted": False,
            "name": workspace.bot.name,
            "app_id": workspace.app_id,
            "user_id": workspace.bot.id,
        }
    }


@method("blocks.validate", by=None)
def blocks_validate(slack: SlackState, call: Call) -> Json:
    checks: dict[str, tuple[str, Callable[[Any], list[Problem]]]] = {
        "blocks": ("invalid_blocks", _message_blocks),
        "message": ("invalid_message", validate_message),
        "view": ("invalid_view", validate_view),
    }
    given = [key for key in checks if key in call.arguments]
    if len(given) != 1:
        raise invalid_arguments("must provide exactly one of: blocks, message, view")
    error, check = checks[given[0]]
    if problems := check(call.arguments[given[0]]):
        raise Refused(error, errors=[_item(problem) for problem in problems])
    return {}


def _message_blocks(blocks: object) -> list[Problem]:
    return validate_blocks(blocks, "message")


def _item(problem: Problem) -> Json:
    missing = problem.message.removeprefix("missing required field: ")
    code = "missing_field" if missing != problem.message else "failed_constraint"
    item = {"pointer": problem.pointer, "code": code, "message": problem.message}
    return {**item, "field": missing} if code == "missing_field" else {**item, "constraint": problem.message}

"""Which text, option, confirm and filter objects does Slack accept?

Source: docs.slack.dev, Block Kit composition objects; lengths are in characters.
"""

from collections.abc import Mapping

from bot.slack.limits.walk import (
    Check,
    Rule,
    Walk,
    array,
    boolean,
    choice,
    exactly_one_of,
    integer,
    listed,
    record,
    string,
    tagged,
    typed,
)

URL = string(most=3000, pattern=r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
IMAGE_URL = string(most=3000, pattern=r"https?://\S+")
BLOCK_ID = string(most=255)
ACTION_ID = string(most=255)
USER_ID = string(pattern=r"[UW][A-Z0-9]{2,}")
CONVERSATION_ID = string(pattern=r"[CDGUW][A-Z0-9]{2,}")
CHANNEL_ID = string(pattern=r"[CG][A-Z0-9]{2,}")


def plain_text(most: int) -> Check:
    """A `plain_text` object of 1 to `most` characters."""
    return typed("plain_text", {"text": string(most=most)}, {"emoji": boolean})


def text_object(most: int) -> Check:
    """A `plain_text` or `mrkdwn` object of 1 to `most` characters."""
    return tagged(
        {
            "plain_text": plain_text(most),
            "mrkdwn": typed("mrkdwn", {"text": string(most=most)}, {"verbatim": boolean}),
        }
    )


SLACK_FILE = record({}, {"id": string(pattern=r"F[A-Z0-9]+"), "url": IMAGE_URL}, exactly_one_of("id", "url"))

CONFIRM = record(
    {"title": plain_text(100), "text": text_object(300), "confirm": plain_text(30), "deny": plain_text(30)},
    {"style": choice("primary", "danger")},
)


def option(text: Check, *, url: bool = False) -> Check:
    """An option; its value is kept to 75 characters, where Slack's own SDKs say 75 and 150."""
    link: dict[str, Check] = {"url": URL} if url else {}
    return record({"text": text, "value": string(most=75)}, {"description": text, **link})


PLAIN_OPTION = option(plain_text(75))
OVERFLOW_OPTION = option(plain_text(75), url=True)
RICH_OPTION = option(text_object(75))
OPTION_GROUP = record({"label": plain_text(75), "options": array(PLAIN_OPTION, most=100)})

CONVERSATION_FILTER = record(
    {},
    {
        "include": array(choice("im", "mpim", "private", "public"), most=4),
        "exclude_bot_users": boolean,
        "exclude_external_shared_channels": boolean,
    },
)
DISPATCH = record(
    {}, {"trigger_actions_on": array(choice("on_enter_pressed", "on_character_entered"), most=2)}
)
WORKFLOW = record(
    {
        "trigger": record(
            {"url": URL},
            {
                "customizable_input_parameters": array(
                    record({"name": string(), "value": string(least=0)}), least=0, most=100
                )
            },
        )
    }
)
FEEDBACK_BUTTON = record(
    {"text": plain_text(75), "value": string(most=2000)}, {"accessibility_label": string(most=75)}
)


def options_of(value: Mapping[str, object]) -> list[object]:
    """Every option of a menu, those of its groups included."""
    grouped = [
        listed(group.get("options"))
        for group in listed(value.get("option_groups"))
        if isinstance(group, Mapping)
    ]
    return [*listed(value.get("options")), *(each for group in grouped for each in group)]


def initial_among_options(key: str) -> Rule:
    """What is chosen at first must be one of the options, exactly."""

    def rule(walk: Walk, pointer: str, value: Mapping[str, object]) -> None:
        if key not in value:
            return
        choices = options_of(value)
        for chosen in listed(value[key]) if key.endswith("s") else (value[key],):
            if chosen not in choices:
                walk.wrong(f"{pointer}/{key}", "must be one of the options, exactly as given there")

    return rule


def max_selected(most: int = 1000) -> Check:
    return integer(1, most)

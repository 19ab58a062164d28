"""Which Slack app do we need? As Slack's app manifest, for HTTP or for Socket Mode."""

from __future__ import annotations

import json

from bot.doctor.forms import SLACK_PATH
from bot.slack.ids import Command
from bot.slack.scopes import EVENTS, SCOPES

COMMANDS = {
    Command.LEADS: ("My open leads", None),
    Command.WHY: ("Why did this customer get it, or not", "name, id or mail [rule]"),
    Command.REPLY: ("Reply to the customer of my lead", "text"),
    Command.FOLLOWUPS: ("Rules: list, switch, edit, preview, pause", None),
}
"""Every slash command with its description and usage hint."""
_NO_ADDRESS = "https://YOUR-HOST"


def manifest(*, public_base_url: str | None, is_socket_mode: bool) -> str:
    """The manifest as YAML. Over HTTP every door is the same address, which Slack calls when it is saved."""
    url = f"{(public_base_url or _NO_ADDRESS).rstrip('/')}{SLACK_PATH}"
    is_http = not is_socket_mode
    lines = [
        "# api.slack.com/apps → Create New App → From a manifest",
        f"# {'HTTP: yorisoi run must be running at the address below' if is_http else 'Socket Mode'}",
        "_metadata: {major_version: 2, minor_version: 1}",
        "display_information:",
        "  name: Yorisoi",
        "  description: Hot leads from LINE, with drafted replies",
        "features:",
        "  app_home: {home_tab_enabled: true, messages_tab_enabled: false}",
        "  bot_user: {display_name: yorisoi, always_online: true}",
        "  slash_commands:",
    ]
    for command in Command:
        description, hint = COMMANDS[command]
        lines += [f"    - command: {command.value}", f"      description: {json.dumps(description)}"]
        lines += [f'      usage_hint: "{hint}"'] if hint else []
        lines += ["      should_escape: true"]
        lines += [f"      url: {url}"] if is_http else []
    lines += ["oauth_config:", "  scopes:", "    bot:"]
    lines += [f'      - "{scope}"  # {use}' for scope, (_, use) in SCOPES.items()]
    lines += ["settings:", "  event_subscriptions:"]
    lines += [f"    request_url: {url}"] if is_http else []
    lines += [f"    bot_events: [{', '.join(EVENTS)}]", "  interactivity:", "    is_enabled: true"]
    lines += [f"    request_url: {url}"] if is_http else []
    lines += [
        "  org_deploy_enabled: false",
        f"  socket_mode_enabled: {'true' if is_socket_mode else 'false'}",
        "  token_rotation_enabled: false",
    ]
    return "\n".join(lines) + "\n"

"""Where does a Slack come from that lives on loopback, refuses what Slack refuses, and has people in it?"""

from sandbox.slack.elements import NotPossible
from sandbox.slack.modals import View
from sandbox.slack.stand_in import SlackStandIn
from sandbox.slack.state import BOT_SCOPES
from sandbox.slack.wire.delivery import Acknowledgement
from sandbox.slack.workspace import Button, Message

__all__ = ["BOT_SCOPES", "Acknowledgement", "Button", "Message", "NotPossible", "SlackStandIn", "View"]

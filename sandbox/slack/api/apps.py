"""Where does an app with Socket Mode connect?"""

from sandbox.slack.calls import Call, Refused, method
from sandbox.slack.elements import Json
from sandbox.slack.state import SlackState


@method("apps.connections.open", tier=3, by="app")
def connections_open(slack: SlackState, call: Call) -> Json:
    if slack.socket_url is None:
        raise Refused("internal_error")
    return {"url": ""}

"""What does one stand-in hold besides the workspace: tokens, scopes, tickets, views, faults, the journal?"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from sandbox.slack.calls import Call
from sandbox.slack.elements import Json
from sandbox.slack.faults import Faults
from sandbox.slack.modals import View, Views
from sandbox.slack.tickets import Tickets
from sandbox.slack.workspace import Message, Workspace

BOT_SCOPES = (
    "app_mentions:read", "channels:history", "channels:join", "channels:read", "chat:write",
    "chat:write.customize", "commands", "files:read", "files:write", "groups:history", "groups:read",
    "im:history", "im:read", "im:write", "metadata.message:read", "reactions:read", "reactions:write",
    "team:read", "usergroups:read", "users:read", "users:read.email",
)  # fmt: skip
"""What the bot may do unless told otherwise."""


class SlackState:
    """Everything the API's answers depend on. `base_url` is where this stand-in itself is served."""

    def __init__(
        self,
        *,
        bot_token: str,
        signing_secret: str,
        clock: Callable[[], datetime],
        app_token: str | None,
        team_id: str,
        scopes: tuple[str, ...],
        bot_name: str,
        base_url: str | None,
    ) -> None:
        self.bot_token = bot_token
        self.app_token = app_token
        self.signing_secret = signing_secret
        self.clock = clock
        self.scopes = scopes
        self.workspace = Workspace(clock=clock, team_id=team_id, bot_name=bot_name)
        self.tickets = Tickets(clock)
        self.views = Views(self.workspace)
        self.faults = Faults()
        self.journal: list[Call] = []
        self.known_base_url = base_url
        self.auth_error: str | None = None
        self.are_user_groups_available = True
        self.files_ready_after = timedelta(0)
        self.upload_urls: dict[str, str] = {}
        self.posted: Callable[[str, Message], None] = lambda subtype, message: None
        self.socket_url: Callable[[], Awaitable[str]] | None = None

    @property
    def base_url(self) -> str:
        """Where response_url, upload_url and file links point. Learnt from the first call of the API."""
        if self.known_base_url is None:
            raise RuntimeError(
                "set base_url to the URL this stand-in is served at, or call its API once before"
            )
        return self.known_base_url

    @base_url.setter
    def base_url(self, url: str) -> None:
        self.known_base_url = url.rstrip("/")

    def view_of(self, view_id: object) -> View | None:
        """An open modal or a Home tab by its id."""
        view = self.views.known.get(view_id) if isinstance(view_id, str) else None
        return view if view is not None and view.is_open else None

    def message_json(self, message: Message, *, with_payload: bool = True) -> Json:
        """A message as answers, history and payloads carry it."""
        workspace = self.workspace
        written: Json = {"type": "message", "user": message.user, "ts": message.ts, "text": message.text}
        written["team"] = workspace.members[message.user].team_id
        if message.bot_id:
            written |= {"bot_id": message.bot_id, "app_id": workspace.app_id}
        for key in ("blocks", "attachments", "files", "thread_ts", "username"):
            if getattr(message, key):
                written[key] = getattr(message, key)
        if message.is_deleted:
            written["subtype"] = "tombstone"
        if message.is_broadcast:
            written["subtype"] = "thread_broadcast"
        if message.metadata:
            kept = message.metadata if with_payload else {"event_type": message.metadata["event_type"]}
            written["metadata"] = kept
        if message.reactions:
            written["reactions"] = [
                {"name": name, "users": users, "count": len(users)}
                for name, users in message.reactions.items()
            ]
        if message.edited_ts:
            written["edited"] = {"user": message.user, "ts": message.edited_ts}
        replies = workspace.channels[message.channel].replies(message.ts)
        if replies:
            written |= {
                "thread_ts": message.ts,
                "reply_count": len(replies),
                "reply_users": sorted({each.user for each in replies}),
                "latest_reply": replies[-1].ts,
            }
        return written

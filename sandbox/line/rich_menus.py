"""Which rich menu does a person see, and how does LINE keep them?"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.line.limits import Problem, validate_rich_menu
from sandbox.exchange import Answer, Call, Declined, Exchange
from sandbox.line.channel import Channel
from sandbox.line.people import Person
from sandbox.line.routes import Route, declined

MENUS_MOST = 1000
IMAGE_BYTES = 1024 * 1024
BULK_USERS = 500
_ALIAS = re.compile("[a-z0-9_-]{1,32}")
_NOT_FOUND = {"message": "richmenu not found"}
_NO_ALIAS = {"message": "richmenu alias not found"}


@dataclass(slots=True)
class RichMenu:
    rich_menu_id: str
    body: Mapping[str, Any]
    image: bytes = b""
    media_type: str = ""

    def as_data(self) -> dict[str, Any]:
        return {"richMenuId": self.rich_menu_id, **self.body}


class RichMenus:
    """All rich menus of one account: a person's own comes before the default."""

    def __init__(self) -> None:
        self.menus: dict[str, RichMenu] = {}
        self.aliases: dict[str, str] = {}
        self.default_id: str | None = None

    def seen_by(self, person: Person) -> RichMenu | None:
        """The menu this person sees; None when none is set."""
        return self.menus.get(person.rich_menu_id or "") or self.menus.get(self.default_id or "")

    def action(self, person: Person, area: int) -> Mapping[str, Any]:
        menu = self.seen_by(person)
        if menu is None or not menu.image:
            raise LookupError(f"{person.display_name} sees no rich menu")
        action: Mapping[str, Any] = menu.body["areas"][area]["action"]
        return action

    def switch(self, person: Person, action: Mapping[str, Any]) -> dict[str, str]:
        """Switch the person's menu; returns the postback's `params`."""
        alias = action["richMenuAliasId"]
        if alias not in self.aliases:
            return {"newRichMenuAliasId": alias, "status": "RICHMENU_ALIAS_ID_NOTFOUND"}
        if self.aliases[alias] not in self.menus:
            return {"newRichMenuAliasId": alias, "status": "RICHMENU_NOTFOUND"}
        person.rich_menu_id = self.aliases[alias]
        return {"newRichMenuAliasId": alias, "status": "SUCCESS"}

    def routes(self) -> tuple[Route, ...]:
        menu, alias = "/v2/bot/richmenu", "/v2/bot/richmenu/alias"
        everyone, person = "/v2/bot/user/all/richmenu", "/v2/bot/user/{userId}/richmenu"
        return (
            Route("POST", menu, self._create),
            Route("POST", f"{menu}/validate", self._validate),
            Route("GET", f"{menu}/list", self._list),
            Route("POST", f"{menu}/bulk/link", self._link_many),
            Route("POST", f"{menu}/bulk/unlink", self._unlink_many),
            Route("POST", alias, self._create_alias),
            Route("GET", f"{alias}/list", self._list_aliases),
            Route("GET", f"{alias}/{{aliasId}}", self._get_alias),
            Route("POST", f"{alias}/{{aliasId}}", self._update_alias),
            Route("DELETE", f"{alias}/{{aliasId}}", self._delete_alias),
            Route("POST", f"{menu}/{{richMenuId}}/content", self._upload, takes_json=False),
            Route("GET", f"{menu}/{{richMenuId}}/content", self._download),
            Route("GET", f"{menu}/{{richMenuId}}", self._get),
            Route("DELETE", f"{menu}/{{richMenuId}}", self._delete),
            Route("POST", f"{everyone}/{{richMenuId}}", self._set_default, takes_json=False),
            Route("GET", everyone, self._get_default),
            Route("DELETE", everyone, self._clear_default),
            Route("POST", f"{person}/{{richMenuId}}", self._link, takes_json=False),
            Route("GET", person, self._get_link),
            Route("DELETE", person, self._unlink),
        )

    def _menu(self, rich_menu_id: Any) -> RichMenu:
        if not isinstance(rich_menu_id, str) or rich_menu_id not in self.menus:
            raise Declined(404, _NOT_FOUND)
        return self.menus[rich_menu_id]

    async def _create(self, channel: Channel, call: Call, _exchange: Exchange) -> Answer:
        if problems := validate_rich_menu(call.json):
            raise declined(problems)
        if len(self.menus) >= MENUS_MOST:
            raise Declined(400, {"message": "The maximum number of rich menus has been reached"})
        menu = RichMenu(channel.ids.rich_menu_id(), call.json)
        self.menus[menu.rich_menu_id] = menu
        return Answer(200, {"richMenuId": menu.rich_menu_id})

    async def _validate(self, _channel: Channel, call: Call, _exchange: Exchange) -> Answer:
        if problems := validate_rich_menu(call.json):
            raise declined(problems)
        return Answer(200, {})

    async def _list(self, _channel: Channel, _call: Call, _exchange: Exchange) -> Answer:
        return Answer(200, {"richmenus": [menu.as_data() for menu in self.menus.values()]})

    async def _get(self, _channel: Channel, call: Call, _exchange: Exchange) -> Answer:
        return Answer(200, self._menu(call.params["richMenuId"]).as_data())

    async def _delete(self, _channel: Channel, call: Call, _exchange: Exchange) -> Answer:
        menu = self._menu(call.params["richMenuId"])
        del self.menus[menu.rich_menu_id]
        return Answer(200, {})

    async def _upload(self, _channel: Channel, call: Call, _exchange: Exchange) -> Answer:
        """The picture: JPEG or PNG of at most 1 MB, once."""
        menu = self._menu(call.params["richMenuId"])
        if call.media_type not in {"image/jpeg", "image/png"}:
            raise Declined(415, {"message": "Unsupported media type"})
        if len(call.body) > IMAGE_BYTES:
            raise Declined(413, {"message": "Request entity too large"})
        if menu.image:
            raise Declined(400, {"message": "An image has already been uploaded to the richmenu"})
        menu.image, menu.media_type = call.body, call.media_type
        return Answer(200, {})

    async def _download(self, _channel: Channel, call: Call, _exchange: Exchange) -> Answer:
        menu = self._menu(call.params["richMenuId"])
        if not menu.image:
            raise Declined(404, {"message": "Not found"})
        return Answer(200, menu.image, media_type=menu.media_type)

    async def _set_default(self, _channel: Channel, call: Call, _exchange: Exchange) -> Answer:
        self.default_id = self._shown(call.params["richMenuId"])
        return Answer(200, {})

    async def _get_default(self, _channel: Channel, _call: Call, _exchange: Exchange) -> Answer:
        if self.default_id is None:
            raise Declined(404, {"message": "no default richmenu"})
        return Answer(200, {"richMenuId": self.default_id})

    async def _clear_default(self, _channel: Channel, _call: Call, _exchange: Exchange) -> Answer:
        self.default_id = None
        return Answer(200, {})

    def _shown(self, rich_menu_id: Any) -> str:
        menu = self._menu(rich_menu_id)
        if not menu.image:
            raise Declined(400, {"message": "must upload richmenu image before applying it to user"})
        return menu.rich_menu_id

    async def _link(self, channel: Channel, call: Call, _exchange: Exchange) -> Answer:
        rich_menu_id = self._shown(call.params["richMenuId"])
        self._set(channel, call.params["userId"], rich_menu_id)
        return Answer(200, {})

    async def _get_link(self, channel: Channel, call: Call, _exchange: Exchange) -> Answer:
        person = channel.people.get(call.params["userId"])
        if person is None or person.rich_menu_id is None:
            raise Declined(404, {"message": "the user has no richmenu"})
        return Answer(200, {"richMenuId": person.rich_menu_id})

    async def _unlink(self, channel: Channel, call: Call, _exchange: Exchange) -> Answer:
        self._set(channel, call.params["userId"], None)
        return Answer(200, {})

    async def _link_many(self, channel: Channel, call: Call, _exchange: Exchange) -> Answer:
        rich_menu_id = self._shown(call.json.get("richMenuId"))
        for user_id in _user_ids(call):
            self._set(channel, user_id, rich_menu_id)
        return Answer(202, {})

    async def _unlink_many(self, channel: Channel, call: Call, _exchange: Exchange) -> Answer:
        for user_id in _user_ids(call):
            self._set(channel, user_id, None)
        return Answer(202, {})

    def _set(self, channel: Channel, user_id: str, rich_menu_id: str | None) -> None:
        """Accepted for everyone; without effect for those who are no friends."""
        person = channel.people.get(user_id)
        if person is not None and person.is_friend and not person.has_blocked:
            person.rich_menu_id = rich_menu_id

    async def _create_alias(self, _channel: Channel, call: Call, _exchange: Exchange) -> Answer:
        alias = call.json.get("richMenuAliasId")
        if not isinstance(alias, str) or not _ALIAS.fullmatch(alias):
            raise declined([Problem("richMenuAliasId", "Must match the pattern [a-z0-9_-]{1,32}")])
        if alias in self.aliases:
            raise Declined(400, {"message": "conflict richmenu alias id"})
        self.aliases[alias] = self._shown(call.json.get("richMenuId"))
        return Answer(200, {})

    async def _list_aliases(self, _channel: Channel, _call: Call, _exchange: Exchange) -> Answer:
        listed = [{"richMenuAliasId": alias, "richMenuId": menu} for alias, menu in self.aliases.items()]
        return Answer(200, {"aliases": listed})

    async def _get_alias(self, _channel: Channel, call: Call, _exchange: Exchange) -> Answer:
        alias = self._alias(call)
        return Answer(200, {"richMenuAliasId": alias, "richMenuId": self.aliases[alias]})

    async def _update_alias(self, _channel: Channel, call: Call, _exchange: Exchange) -> Answer:
        self.aliases[self._alias(call)] = self._shown(call.json.get("richMenuId"))
        return Answer(200, {})

    async def _delete_alias(self, _channel: Channel, call: Call, _exchange: Exchange) -> Answer:
        del self.aliases[self._alias(call)]
        return Answer(200, {})

    def _alias(self, call: Call) -> str:
        if call.params["aliasId"] not in self.aliases:
            raise Declined(404, _NO_ALIAS)
        return call.params["aliasId"]


def _user_ids(call: Call) -> list[str]:
    ids = call.json.get("userIds")
    is_sized = isinstance(ids, list) and 1 <= len(ids) <= BULK_USERS
    if not is_sized or not all(isinstance(user_id, str) for user_id in ids):
        raise declined([Problem("userIds", f"Size must be between 1 and {BULK_USERS}")])
    return list(ids)

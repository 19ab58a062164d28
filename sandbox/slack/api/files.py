"""How are files announced, uploaded, shared and described?"""

import mimetypes

from sandbox.slack.api.access import channel_for, may_post
from sandbox.slack.calls import Call, Refused, invalid_arguments, method
from sandbox.slack.elements import Json, with_ids
from sandbox.slack.state import SlackState
from sandbox.slack.workspace import Message, StoredFile


@method("files.getUploadURLExternal", "files:write", tier=4)
def get_upload_url(slack: SlackState, call: Call) -> Json:
    name = str(call.required("filename"))
    length = call.whole("length", 0)
    if length <= 0:
        raise invalid_arguments("must be more than 0 [json-pointer:/length]")
    if len(call.text("alt_txt") or "") > 1000:
        raise invalid_arguments("must be less than 1001 characters [json-pointer:/alt_txt]")
    stored = new_file(slack, name, b"", user=slack.workspace.bot.id)
    stored.declared = length
    key = f"{slack.workspace.count('upload'):032x}"
    slack.upload_urls[key] = stored.id
    return {"upload_url": f"{slack.base_url}/upload/v1/{key}", "file_id": stored.id}


@method("files.completeUploadExternal", "files:write", tier=4)
def complete(slack: SlackState, call: Call) -> Json:
    wanted = call.required("files")
    if not isinstance(wanted, list) or not all(isinstance(each, dict) and "id" in each for each in wanted):
        raise invalid_arguments("must be a list of {id, title} [json-pointer:/files]")
    stored = [slack.workspace.files.get(str(each["id"])) for each in wanted]
    names = (call.text("channels") or call.text("channel_id") or "").split(",")
    channels = [channel_for(slack, name) for name in names if name]
    if len(channels) > 100:
        raise Refused("channels_limit_exceeded")
    for channel in channels:
        may_post(slack, channel)
    found = [each for each in stored if each is not None and each.is_received]
    if len(found) != len(wanted):
        raise Refused("file_not_found")
    for each, asked in zip(found, wanted, strict=True):
        each.title = str(asked.get("title") or each.name)
        each.ready_at = slack.clock() + slack.files_ready_after
    for channel in channels:
        message = Message(
            channel=channel.id,
            ts=slack.workspace.new_ts(),
            user=slack.workspace.bot.id,
            bot_id=slack.workspace.bot_id,
            text=call.text("initial_comment") or "",
            thread_ts=call.text("thread_ts"),
            files=[file_json(slack, each) for each in found],
        )
        if not message.text and call.arguments.get("blocks"):
            message.blocks = with_ids(call.arguments["blocks"], slack.workspace.new_block_id)
        channel.messages.append(message)
        for each in found:
            each.shares.append((channel.id, message.ts))
        slack.posted("file_share", message)
    return {"files": [file_json(slack, each) for each in found]}


@method("files.info", "files:read", tier=4)
def info(slack: SlackState, call: Call) -> Json:
    stored = slack.workspace.files.get(str(call.required("file")))
    if stored is None or not stored.is_received:
        raise Refused("file_not_found")
    return {"file": file_json(slack, stored)}


@method("files.delete", "files:write", tier=3)
def delete(slack: SlackState, call: Call) -> Json:
    stored = slack.workspace.files.pop(str(call.required("file")), None)
    if stored is None:
        raise Refused("file_not_found")
    for channel, ts in stored.shares:
        message = slack.workspace.channels[channel].message(ts)
        if message is not None:
            message.files = [each for each in message.files if each["id"] != stored.id]
    return {}


def new_file(
    slack: SlackState, name: str, content: bytes, *, user: str, mimetype: str | None = None
) -> StoredFile:
    """A file of the workspace; complete at once when it has content."""
    stored = StoredFile(
        id=slack.workspace.new_id("F"),
        name=name,
        title=name,
        mimetype=mimetype or mimetypes.guess_type(name)[0] or "application/octet-stream",
        content=content,
        declared=len(content),
        user=user,
        is_received=bool(content),
        ready_at=slack.clock() if content else None,
    )
    slack.workspace.files[stored.id] = stored
    return stored


def file_json(slack: SlackState, stored: StoredFile) -> Json:
    """A file as the API and events describe it; `url_private` needs the bot token."""
    url = f"{slack.base_url}/files-pri/{slack.workspace.team_id}-{stored.id}"
    shares: Json = {}
    for channel, ts in stored.shares:
        kind = "public" if slack.workspace.channels[channel].kind == "public" else "private"
        shares.setdefault(kind, {}).setdefault(channel, []).append({"ts": ts})
    return {
        "id": stored.id,
        "name": stored.name,
        "title": stored.title,
        "mimetype": stored.mimetype,
        "filetype": stored.name.rpartition(".")[2],
        "user": stored.user,
        "size": len(stored.content),
        "mode": "hosted",
        "is_external": False,
        "url_private": f"{url}/{stored.name}",
        "url_private_download": f"{url}/download/{stored.name}",
        "permalink": f"https://sandbox.slack.com/files/{stored.user}/{stored.id}/{stored.name}",
        "shares": shares,
    }

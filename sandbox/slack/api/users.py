"""Who is in the workspace, and in which user groups?"""

from datetime import datetime
from zoneinfo import ZoneInfo

from sandbox.slack.calls import Call, Refused, method, page
from sandbox.slack.elements import Json
from sandbox.slack.state import SlackState
from sandbox.slack.workspace import Member


@method("users.info", "users:read", tier=4)
def info(slack: SlackState, call: Call) -> Json:
    member = slack.workspace.members.get(str(call.required("user")))
    if member is None:
        raise Refused("user_not_found")
    return {"user": user_json(slack, member, with_locale=call.truth("include_locale"))}


@method("users.list", "users:read", tier=2)
def list_(slack: SlackState, call: Call) -> Json:
    shown, cursor = page(list(slack.workspace.members.values()), call, default=1000, most=1000)
    written = [user_json(slack, each, with_locale=call.truth("include_locale")) for each in shown]
    return {"members": written, "response_metadata": {"next_cursor": cursor}}


@method("users.lookupByEmail", "users:read.email", tier=3)
def lookup_by_email(slack: SlackState, call: Call) -> Json:
    email = call.required("email")
    for member in slack.workspace.members.values():
        if member.email == email and not member.deleted:
            return {"user": user_json(slack, member, with_locale=False)}
    raise Refused("users_not_found")


@method("usergroups.list", "usergroups:read", tier=2)
def groups(slack: SlackState, call: Call) -> Json:
    _available(slack)
    written = []
    for group in slack.workspace.groups.values():
        users = {"users": group.member_ids} if call.truth("include_users") else {}
        written.append(
            {
                "id": group.id,
                "team_id": slack.workspace.team_id,
                "is_usergroup": True,
                "name": group.handle,
                "handle": group.handle,
                "date_delete": 0,
                "user_count": len(group.member_ids),
                **users,
            }
        )
    return {"usergroups": written}


@method("usergroups.users.list", "usergroups:read", tier=2)
def group_members(slack: SlackState, call: Call) -> Json:
    _available(slack)
    group = slack.workspace.groups.get(str(call.required("usergroup")))
    if group is None:
        raise Refused("no_such_subteam")
    members = slack.workspace.members
    return {"users": [each for each in group.member_ids if not members[each].deleted]}


def _available(slack: SlackState) -> None:
    if not slack.are_user_groups_available:
        raise Refused("plan_upgrade_required")


def user_json(slack: SlackState, member: Member, *, with_locale: bool) -> Json:
    """A member as the API describes them; the e-mail address needs its own scope."""
    offset = datetime.astimezone(slack.clock(), ZoneInfo(member.tz)).utcoffset()
    email = member.email if "users:read.email" in slack.scopes and not member.is_bot else None
    profile: Json = {"real_name": member.real_name, "display_name": member.name, "team": member.team_id}
    written: Json = {
        "id": member.id,
        "team_id": member.team_id,
        "name": member.name,
        "deleted": member.deleted,
        "profile": {**profile, "email": email} if email else profile,
        "is_bot": member.is_bot,
        "is_app_user": False,
        "is_stranger": member.team_id != slack.workspace.team_id,
        "updated": 0,
    }
    if member.deleted:
        return written
    written |= {
        "real_name": member.real_name,
        "tz": member.tz,
        "tz_offset": int(offset.total_seconds()) if offset else 0,
        "is_admin": member.is_admin,
        "is_owner": False,
        "is_restricted": member.is_restricted or member.is_ultra_restricted,
        "is_ultra_restricted": member.is_ultra_restricted,
    }
    return {**written, "locale": member.locale} if with_locale else written

"""What may an editor offer while policy.yaml or scoring.yaml is written?

As for rules: the parser decides, the schema helps to type.
"""

from __future__ import annotations

from typing import Any

from followups.rules.yaml.policies import life_cycle, policy, retention, scoring
from followups.words.lint import MAX_LABEL

Schema = dict[str, Any]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def _said(schema: Schema, ja: str, en: str) -> Schema:
    return {**schema, "description": f"{ja} / {en}"}


def _mapping(properties: Schema, required: tuple[str, ...] = ()) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _whole(lowest: int, highest: int) -> Schema:
    return {"type": "integer", "minimum": lowest, "maximum": highest}


def _number(lowest: float, highest: float) -> Schema:
    return {"type": "number", "minimum": lowest, "maximum": highest}


_NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 100}
_SPAN: Schema = {"type": "string", "pattern": "^[0-9]{1,7}[mhdw]$"}
_SHARE: Schema = {"type": "string", "pattern": "^[0-9]{1,3}(\\.[0-9]{1,4})? ?%$"}
_TIME: Schema = {"type": "string", "pattern": "^([01]?[0-9]|2[0-3]):[0-5][0-9]$"}
_ADDRESS: Schema = {"type": "string", "format": "uri", "pattern": "^https://"}
_FROM = _said(_TIME, "始まりの時刻（例 20:00）", "when it begins, for example 20:00")
_TO = _said(_TIME, "終わりの時刻", "when it ends")
_WEEKDAYS = {"type": "array", "items": {"enum": _DAYS}, "minItems": 1}
_SENDER = _mapping(
    {
        "name": _said(
            {"type": "string", "maxLength": 20}, "表示する名前（20字まで）", "the name shown, up to 20"
        ),
        "icon": _said(_ADDRESS, "表示する画像の https アドレス", "the https address of the picture shown"),
    }
)


def _cap(ja: str, en: str) -> Schema:
    return _said(_or_null(_whole(0, 1000)), f"{ja}（null: 制限なし）", f"{en}; null: no limit")


def _spans() -> dict[str, Schema]:
    """Of `retention`."""
    words = {
        "events": ("出来事を残す期間", "how long events are kept"),
        "decisions": ("判断の記録を残す期間", "how long decisions are kept"),
        "inbox": ("LINE と Slack から届いたものを残す期間", "how long what LINE and Slack sent is kept"),
        "media": ("お客様の写真やファイルを残す期間", "how long customers' pictures and files are kept"),
    }
    return {
        name: _said(_or_null(_SPAN), f"{ja}（null: ずっと）", f"{en}; null: for ever")
        for name, (ja, en) in words.items()
    }


def _life() -> dict[str, Schema]:
    one_or_more = {"anyOf": [_NAME, {"type": "array", "items": _NAME, "minItems": 1}]}
    return {
        "purchase": _said(_NAME, "購入を表す出来事", "the event of a purchase"),
        "product": _said(_NAME, "何を買ったかを表す項目", "the property that names what was bought"),
        "activity": _said(one_or_more, "利用を表す出来事", "the events that say the product is used"),
        "joined": _said(_NAME, "お客様になったことを表す出来事", "the event of having become a customer"),
        "activated": _said(_NAME, "使い始めが終わったことを表す出来事", "the event that ends onboarding"),
        "purchase_gap": _said(_SPAN, "ふだんの購入の間隔", "what is usual between two purchases"),
        "activity_gap": _said(_SPAN, "ふだんの利用の間隔", "what is usual between two uses"),
    }


def _hours() -> dict[str, Schema]:
    return {
        "quiet_hours": _said(
            _or_null(_mapping({"from": _FROM, "to": _TO}, ("from", "to"))),
            "規則が送らない時間帯（お客様の時計。null: なし）",
            "when no rule writes, on the customer's clock; null: none",
        ),
        "business_hours": _said(
            _mapping(
                {
                    "days": _said(_WEEKDAYS, "営業する曜日", "the weekdays people answer"),
                    "from": _FROM,
                    "to": _TO,
                    "holidays": _said(
                        {"enum": ["JP", None]}, "休む祝日の暦（null: なし）", "whose holidays; null: none"
                    ),
                }
            ),
            "人が返事をする時間",
            "when people answer",
        ),
        "digest": _said(
            _or_null(
                _mapping(
                    {
                        "at": _said(_TIME, "出す時刻", "when it is posted"),
                        "days": _said(_WEEKDAYS, "出す曜日", "on which weekdays"),
                    }
                )
            ),
            "Slack のまとめを出す時刻（null: 出さない）",
            "when the digest is posted in Slack; null: never",
        ),
    }


def _limits() -> dict[str, Schema]:
    return {
        "caps": _said(
            _or_null(
                _mapping(
                    {
                        "per_day": _cap("1日に何通まで", "messages a day"),
                        "per_7_days": _cap("7日に何通まで", "messages in 7 days"),
                        "per_30_days": _cap("30日に何通まで", "messages in 30 days"),
                    }
                )
            ),
            "一人のお客様への、すべての規則を合わせた上限（null: なし）",
            "the most messages of all rules together to one customer; null: no limits",
        ),
        "silence_after_unanswered": _said(
            _or_null(
                _mapping(
                    {
                        "messages": _said(
                            _whole(0, 1000), "続けて反応のない通数", "so many without an answer"
                        ),
                        "for": _said(_SPAN, "休む長さ", "how long to rest"),
                    }
                )
            ),
            "反応のない人を休ませる（null: しない）",
            "rest after messages without an answer; null: never",
        ),
        "quota": _said(
            _mapping(
                {
                    "reserve_for_people": _said(
                        _SHARE, "人の返信のために残す割合", "the share kept for people's replies"
                    ),
                    "monthly": _said(
                        _whole(0, 100_000_000), "プランの月の通数", "messages a month of your plan"
                    ),
                    "yen_per_extra": _said(
                        _number(0, 1_000_000), "追加1通の料金（円）", "the price of one more, in yen"
                    ),
                }
            ),
            "LINE の料金プラン",
            "your LINE plan",
        ),
        "canary": _said(
            _mapping(
                {
                    "size": _said(_whole(1, 100_000), "最初に送る人数", "how many get it first"),
                    "for": _said(_SPAN, "様子を見る長さ", "how long to watch"),
                }
            ),
            "少人数で試す",
            "the trial with few",
        ),
        "approval_above": _said(
            _whole(1, 1_000_000),
            "1日にこの人数を超えるときは承認が必要",
            "above so many people in a day a support lead approves",
        ),
        "holdout": _said(
            _or_null(_SHARE),
            "どの規則も送らない、比較のための割合（null: なし）",
            "share of customers to whom no rule writes; null: nobody",
        ),
        "undo_seconds": _said(
            _whole(0, 600), "Slack の返信を取り消せる秒数", "how long a reply from Slack can be taken back"
        ),
    }


def _people() -> dict[str, Schema]:
    return {
        "sla": _said(
            _mapping(
                {
                    "claim": _said(
                        _SPAN, "担当が決まらなければ次の人へ", "unclaimed for so long: the next person"
                    ),
                    "escalate": _said(_SPAN, "それでも決まらなければ責任者へ", "then: the support leads"),
                }
            ),
            "案件の期限（営業時間で数える）",
            "by when a lead is taken, in business time",
        ),
        "routing": _said(
            _mapping(
                {
                    "owner_attribute": _said(
                        _NAME, "担当者を表す属性", "the attribute that names who looks after"
                    ),
                    "value_attribute": _said(_NAME, "金額を表す属性", "the attribute of what they are worth"),
                    "per_rep_per_day": _said(_whole(1, 1000), "1人が1日に受ける件数", "leads a person a day"),
                    "introduce": _said(
                        {"type": "boolean"}, "担当が決まったことを伝える", "tell the customer who took it"
                    ),
                }
            ),
            "案件を誰に頼むか",
            "who is asked to take a lead",
        ),
        "senders": _said(
            _mapping(
                {
                    "bot": _said(_SENDER, "自動のメッセージの差出人", "of messages of rules"),
                    "people": _said(
                        {
                            "type": "object",
                            "propertyNames": {"pattern": "^[UW][A-Z0-9]{2,30}$"},
                            "additionalProperties": _SENDER,
                        },
                        "人の返信の差出人（Slack のユーザー ID ごと）",
                        "of people's replies, by Slack user id",
                    ),
                }
            ),
            "LINE での差出人の表示",
            "whom messages are from, as LINE shows it",
        ),
    }


def policy_schema() -> Schema:
    """The schema of policy.yaml."""
    properties = {
        "timezone": _said(
            {"type": "string"},
            "営業時間と、時間帯のわからないお客様の時計（例 Asia/Tokyo）",
            "whose clock counts where a customer has none, for example Asia/Tokyo",
        ),
        **_hours(),
        **_limits(),
        **_people(),
        "link_hosts": _said(
            {"type": "array", "items": {"type": "string"}},
            "リンクしてよいサイト",
            "hosts that messages and drafts may link to",
        ),
        "default_purpose": _said(
            {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,39}$"},
            "友だち追加のときに同意をもらう目的",
            "the purpose new friends are asked to agree to",
        ),
        "life_cycle": _said(
            _mapping(_life()), "区分と段階のもとになる出来事", "the events that segments and stages rest on"
        ),
        "retention": _said(_mapping(_spans()), "いつまで残すか", "how long things are kept"),
    }
    assert set(properties) == set(policy.KEYS)
    assert (set(_life()), set(_spans())) == (set(life_cycle.KEYS), set(retention.KEYS))
    return {"$schema": _DRAFT, "title": "Yorisoi policy", **_mapping(properties)}


def _points() -> Schema:
    label = {"type": "string", "minLength": 1, "maxLength": MAX_LABEL * 5}
    of = {
        "points": _said(
            _number(0, 100), "1回あたりの点（0より大きく100まで）", "points each, above 0 up to 100"
        ),
        "half_life": _said(_SPAN, "半分に減るまで（省くと7d）", "until half is left; 7d without it"),
        "per_day": _said(_whole(1, scoring.MAX_PER_DAY), "1日に数える回数", "how many of one day count"),
        "label": _said(
            {"anyOf": [label, {"type": "object", "additionalProperties": label}]},
            "人が読む呼び名",
            "what people read instead of the name",
        ),
    }
    assert set(of) == set(scoring.POINTED_KEYS)
    return {"anyOf": [_number(0, 100), _mapping(of, ("points",))]}


def _fits() -> Schema:
    value: Schema = {"type": ["string", "number", "boolean"]}
    values: Schema = {"type": "array", "items": value, "minItems": 1}
    return _mapping(
        {
            "attribute": _said(_NAME, "お客様の属性の名前", "the name of a customer's attribute"),
            "equals": _said(value, "この値と同じ", "is this value"),
            "in": _said(values, "このどれか", "is one of these"),
            "not_in": _said(values, "このどれでもない", "is none of these"),
            "at_least": _said({"type": "number"}, "この数以上", "this number or more"),
            "at_most": _said({"type": "number"}, "この数以下", "this number or less"),
            "exists": _said({"type": "boolean"}, "値があるか", "is there a value"),
            "points": _said(_number(-100, 100), "足し引きする点", "points added or taken"),
            "label": _said({"type": ["string", "object"]}, "人が読む呼び名", "what people read"),
        },
        ("attribute", "points"),
    )


def scoring_schema() -> Schema:
    """The schema of scoring.yaml."""
    points = _points()
    by_name = {"type": "object", "additionalProperties": points}
    properties = {
        "events": _said(by_name, "出来事ごとの点", "points by event name"),
        "clicks": _said(points, "メッセージのリンクを開いたときの点", "points for opening a link of ours"),
        "replies": _said(points, "LINE で返信したときの点", "points for writing on LINE"),
        "quick_replies": _said(by_name, "ワンタップの回答ごとの点", "points by a quick reply's signal"),
        "fit": _said(
            {"type": "array", "items": _fits()}, "どんなお客様を求めているか", "whom you are looking for"
        ),
        "fit_start": _said(
            _whole(0, 100), "何もわからないときの適合度", "the fit where nothing is known; 50"
        ),
        "threshold": _said(
            _whole(1, 100), "ここに届くと案件になる点", "the score from which a lead is opened"
        ),
        "middling": _said(
            _SHARE,
            "比べるために案件にする、中くらいの人の割合",
            "a share of the middling who become leads, too",
        ),
    }
    assert set(properties) == set(scoring.KEYS)
    return {"$schema": _DRAFT, "title": "Yorisoi scoring", **_mapping(properties)}

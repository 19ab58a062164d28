"""What does an editor say about each key while a rule is written?

Told in Japanese and English, by `parent.key` where a key means different things in different places.
"""

from __future__ import annotations

from typing import Any

WORDS = {
    "id": "規則の名前（小文字・数字・ハイフン、ファイル名と同じ） / "
    "the rule's id, the same as the file's name",
    "name": "人が読む名前 / the rule's name for people",
    "goal": "役に立ったことを示す一つの出来事と、それを待つ期間 / "
    "the one event that says it helped, and how long to wait",
    "goal.within": "送ってからこの期間に起きれば達成 / counts when it happens this soon after the message",
    "when": "誰に、いつ（条件） / whom and when: the conditions",
    "then": "何をするか（手順） / what to do: the steps",
    "if.then": "成り立つときの手順 / the steps when it holds",
    "else": "成り立たないときの手順 / the steps when it does not",
    "priority": "0〜100、大きいほど先 / 0 to 100, the highest writes first",
    "again_after": "同じ人に次に送れるまで（never: 二度と送らない） / "
    "earliest return to the same customer; never",
    "holdout": "比較のため送らない人の割合 / share of customers left out to compare with",
    "approval": "auto: そのまま送る、review: 一通ずつ承認 / auto: send; review: a support lead approves each",
    "during_conversation": "会話中: hold 待つ、drop 見送る、send 送る / "
    "while people talk: wait, leave it, send",
    "state": "新しい規則の最初の状態 / where a new rule begins",
    "all": "すべて成り立つ / every one must hold",
    "any": "どれか一つ成り立つ / one is enough",
    "none": "どれも成り立たない / not one may hold",
    "event": "送られてくる出来事の名前 / the name of an event as your product sends it",
    "where": "この項目がちょうどこの値の出来事だけ / only events whose properties have exactly these values",
    "last": "最後の出来事からの時間 / time since the latest one",
    "first": "最初の出来事からの時間 / time since the earliest one",
    "more_than": "これ以上前 / this long ago or longer",
    "less_than": "これより最近 / more recently than this",
    "count": "回数 / how many times",
    "count.at_least": "この回数以上 / this many or more",
    "count.at_most": "この回数以下 / this many or fewer",
    "count.fewer_than": "この回数未満 / fewer than this",
    "count.within": "直近この期間（省くと全期間） / in the last so long; without it: ever",
    "never": "true: 一度もない、false: 一度はある / true: not once; false: at least once",
    "trend": "直近の期間をその前の同じ長さと比べる / the last span against the one before it",
    "down_by": "この割合以上減った / fell by this share or more",
    "up_by": "この割合以上増えた / grew by this share or more",
    "over": "比べる一つの期間の長さ / the length of each of the two spans",
    "trend.at_least": "多い方の期間にこの回数以上（省くと5） / "
    "at least so many in the larger span; 5 without it",
    "stalled": "始めたのに進んでいない / begun and not gone on",
    "since": "始まりの出来事 / the event it began with",
    "without": "まだ起きていない次の出来事 / the event that has not followed",
    "stalled.for": "始まりからこれ以上たった / so long since it began",
    "used": "いくつの機能を使っているか / how many of several features are used",
    "of": "数える出来事 / the events to count, each once",
    "used.fewer_than": "これより少ない種類 / fewer different ones than this",
    "used.at_least": "この種類以上 / this many different ones or more",
    "used.within": "直近この期間（省くと全期間） / in the last so long; without it: ever",
    "idle": "その人のいつもの間隔より長く来ていない / quiet for longer than the customer's own habit",
    "rhythm": "いつもの間隔の何倍か（省くと3） / times the usual gap; 3 without it",
    "min": "早くてもこれより前には成り立たない（省くと7d） / never before this; 7d without it",
    "max": "遅くてもここで成り立つ（省くと60d） / at this at the latest; 60d without it",
    "attribute": "お客様の属性の名前 / the name of a customer's attribute",
    "equals": "この値と同じ / is this value",
    "in": "このどれか / is one of these",
    "not_in": "このどれでもない（未設定も含む） / is none of these, or not set",
    "attribute.at_least": "この数以上 / this number or more",
    "attribute.at_most": "この数以下 / this number or less",
    "exists": "値があるか / is there a value",
    "attribute.within": "その日がこれ以内に来る / the date comes within this span",
    "passed": "その日からこれ以上たった / the date was this long ago or longer",
    "anniversary": "今日がその月日 / today is its month and day",
    "line": "LINE の連携 / the link to LINE",
    "linked": "LINE と連携しているか / is the customer linked on LINE",
    "clicked": "このメッセージのリンクを開いた / opened the link of this message",
    "replied": "LINE で返信した（false: していない） / wrote on LINE; false: did not",
    "reacted": "この signal のワンタップ回答を選んだ / tapped the quick reply with this signal",
    "within": "直近この期間 / in the last so long",
    "segment": "顧客の区分 / the customer's segment",
    "stage": "利用の段階 / where the customer stands in their life cycle",
    "score": "点数 / the score",
    "score.at_least": "この点以上 / this score or more",
    "send": "メッセージの名前、その場の文面、または variants / "
    "a message's name, a message in place, or variants",
    "variants": "比べる文面 / the messages to compare, by key",
    "wait": "待つ / wait before going on",
    "wait.for": "待つ長さ / how long",
    "until": "成り立ったら先へ進む / go on as soon as this holds",
    "at": "お客様の時計でこの時刻に / at this time of the customer's day",
    "if": "分かれ道の条件 / the condition that decides the way",
    "escalate": "担当者に渡す（Slack に案件を開く） / hand over to people: opens a lead in Slack",
    "reason": "担当者が読む理由 / the reason people read",
    "purpose": "必要な同意の目的 / the purpose that the customer must have agreed to",
    "text": "文面（言語ごと、または一つ） / the text, by language or one for all",
    "button": "ボタン（一つまで） / the one button",
    "label": "表示する言葉 / the words on it",
    "url": "開く https のアドレス / the https address it opens",
    "image": "本文の上の画像（https、JPEG か PNG、10MB まで） / "
    "the picture above the text (https, JPEG or PNG, up to 10 MB)",
    "image.url": "画像の https のアドレス / the picture's https address",
    "preview": "一覧に出す小さい画像（1MB まで） / the small one for the chat (up to 1 MB)",
    "coupon": "LINE のクーポンの ID（本文の下に付く） / a LINE coupon's id, shown below the text",
    "quick_replies": "ワンタップの回答 / answers in one tap",
    "signal": "出来事として記録する名前 / the event it is recorded as",
    "lead": "true: 案件も開く / true: also opens a lead",
}


def described(schema: dict[str, Any], parent: str = "") -> dict[str, Any]:
    """The same schema with a description at every property that we have words for."""
    found: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "properties":
            found[key] = {name: _property(each, name, parent or _kind(value)) for name, each in value.items()}
        else:
            found[key] = _inside(value, parent)
    return found


def _kind(properties: dict[str, Any]) -> str:
    """What a mapping is about, where its parent does not say: its first key."""
    return next(iter(properties), "")


def _property(schema: dict[str, Any], name: str, parent: str) -> dict[str, Any]:
    words = WORDS.get(f"{parent}.{name}", WORDS.get(name))
    inner = described(schema, name)
    if words is None:
        return inner
    example = f" ({inner['description']})" if "description" in inner else ""
    return {**inner, "description": f"{words}{example}"}


def _inside(value: Any, parent: str) -> Any:
    if isinstance(value, dict):
        return described(value, parent)
    if isinstance(value, list):
        return [described(each, parent) if isinstance(each, dict) else each for each in value]
    return value

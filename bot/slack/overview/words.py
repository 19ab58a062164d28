"""What do the App Home and the digest say, in which language?"""

from __future__ import annotations

from collections.abc import Mapping

_WORDS: Mapping[str, tuple[str, str]] = {
    # the App Home of everybody
    "mine": ("担当している見込み ({number})", "My open leads ({number})"),
    "mine.none": ("いま担当している見込みはありません。", "You have no open leads."),
    "waiting": ("⏰ 返事を待っている人 ({number})", "⏰ Waiting for your answer ({number})"),
    "due": ("次に予定している人", "Due next"),
    "working": ("対応中", "Under way"),
    "unclaimed": ("担当を待っている見込み ({number})", "Unclaimed leads ({number})"),
    "unclaimed.none": ("担当を待っている見込みはありません。", "Every lead has an owner."),
    "more": ("…ほか {number} 件", "… and {number} more"),
    "nameless": ("LINEのお客様", "LINE customer"),
    "said_at": ("最後の発言 {at}", "wrote {at}"),
    "until": ("{at} まで保留", "snoozed until {at}"),
    "claim_by": ("{at} までに", "claim by {at}"),
    "asked": ("打診中: {who}", "asked: {who}"),
    "score": ("見込み {score}", "score {score}"),
    "as_of": ("{at} の時点", "as of {at}"),
    # needs you
    "needs": ("対応が必要なもの", "Needs you"),
    "needs.none": ("✅ 対応が必要なものはありません。", "✅ Nothing needs you."),
    "dead": ("送れなかったメッセージ", "not sent"),
    "unknown": ("届いたか分からないメッセージ", "nobody knows whether it arrived"),
    "message": (
        "⚠️ *{name}* {what} ・ {kind} ・ {at}\n{because}",
        "⚠️ *{name}* {what} · {kind} · {at}\n{because}",
    ),
    "kind.person": ("人の返信", "a person's reply"),
    "kind.rule": ("規則 {rule}", "rule {rule}"),
    "kind.other": ("自動の応答", "automatic answer"),
    "replay": ("もう一度送る", "Send again"),
    "arrived": ("届いていた", "It arrived"),
    "again": ("送り直す", "Send again"),
    "leave": ("このままにする", "Leave it"),
    "replay.confirm": (
        "LINEが受け付けなかったので、二重には届きません。",
        "LINE took nothing: it cannot arrive twice.",
    ),
    "arrived.confirm": (
        "LINEのチャットで届いていることを確かめましたか?",
        "Did you see in the LINE chat that it arrived?",
    ),
    "again.confirm": (
        "前のものも届いていれば、お客様には2通届きます。先にLINEのチャットを確かめてください。",
        "If the first one arrived too, the customer gets both. Look into the LINE chat first.",
    ),
    "leave.confirm": ("送らずに、この一覧から外します。", "It is not sent, and leaves this list."),
    "cancel": ("やめる", "Cancel"),
    # rules, quota, health
    "rules": ("規則 ({number})", "Rules ({number})"),
    "rules.none": ("規則はまだありません。", "There are no rules yet."),
    "reached": ("目標 {reached}/{judged} 人 ・ {effect}", "goal {reached}/{judged} · {effect}"),
    "previous": ("‹ 前へ", "‹ Back"),
    "next": ("次へ ›", "Next ›"),
    "quota": (
        "*LINEの今月の通数* `{bar}` {used}/{limit} ・ 規則の残り {left}",
        "*LINE messages this month* `{bar}` {used}/{limit} · left for rules {left}",
    ),
    "quota.free": ("*LINEの今月の通数* {used} 通(上限なし)", "*LINE messages this month* {used} (no limit)"),
    "opt_outs": (
        "*配信停止* {number}/{people} 人({share}、直近28日に規則が対象にした人のうち)",
        "*Opt-outs* {number}/{people} ({share}, of those rules turned to in 28 days)",
    ),
    "added": ("*すべての規則の効果* {said}", "*What all rules added* {said}"),
    "learned": ("*見込みの学習* {said}", "*Learned score* {said}"),
    "health": ("状態", "Health"),
    "backlog": ("{kind}: {rows} 件(最長 {age})", "{kind}: {rows} (oldest {age})"),
    "backlog.none": ("たまっている仕事はありません", "no work waits"),
    "tick": ("最後の見回り {age}前", "last look at the time {age} ago"),
    "tick.never": ("見回りはまだです", "time was not looked at yet"),
    "versions": (
        "Yorisoi {program} ・ PostgreSQL {database} ・ 表 {schema}",
        "Yorisoi {program} · PostgreSQL {database} · schema {schema}",
    ),
    "unsafe": (
        "⚠️ データベースの設定 {setting} では、電源断で約束が失われます",
        "⚠️ with {setting} a power cut loses promises",
    ),
    # the digest
    "digest": ("{day} のまとめ", "Digest of {day}"),
    "digest.span": ("直近7日(前の7日)", "last 7 days (the 7 before)"),
    "sent": ("送信", "Sent"),
    "reacted": ("反応", "Reactions"),
    "effect": ("増分", "Added"),
    "change": ("{now} 通 (前 {before})", "{now} (before {before})"),
    "change.people": ("{now} 人 (前 {before})", "{now} (before {before})"),
    "chart": ("1日ごとの送信", "Messages by day"),
    "by_rules": ("規則", "rules"),
    "by_people": ("人", "people"),
    "day": ("日", "day"),
    "messages": ("通", "messages"),
    "attention": ("今日見るもの", "To look at today"),
    "attention.none": ("✅ いま見るべきものはありません。", "✅ Nothing needs you."),
    "precision": ("見込みの的中率(先週まで4週)", "Leads worth it (last 4 weeks)"),
    "precision.line": (
        "{rule}: {share} ({good}/{judged}){reasons}",
        "{rule}: {share} ({good}/{judged}){reasons}",
    ),
    "suggestion": ("💡 *提案* {said}", "💡 *Suggestion* {said}"),
    "apply": ("適用する", "Apply"),
    "decline": ("今はしない", "Not now"),
    "apply.confirm": ("この変更をいま適用しますか?", "Apply this now?"),
    "apply.text": (
        "新しいバージョンとして記録され、履歴から元に戻せます。",
        "It is kept as a new version, and can be rolled back.",
    ),
    "applied": ("✅ {who} が適用しました({at})", "✅ Applied by {who} ({at})"),
    "declined": (
        "{who} が見送りました({at})。4週間は提案しません",
        "Declined by {who} ({at}); rests for four weeks",
    ),
    "reason.not_interested": ("関心がない", "not interested"),
    "reason.wrong_signal": ("誤検知", "false alarm"),
    "reason.already_handled": ("対応済み", "already handled"),
    "reason.duplicate": ("重複", "duplicate"),
    "reason.other": ("その他", "something else"),
}


def say(key: str, language: str, **values: object) -> str:
    """The words for `key`; Japanese for "ja…", English for everything else. Values are put in as they are."""
    words = _WORDS[key][0 if language.lower().startswith("ja") else 1]
    for name, value in values.items():
        words = words.replace("{" + name + "}", str(value))
    return words


def knows(key: str) -> bool:
    """Whether there are words for this."""
    return key in _WORDS

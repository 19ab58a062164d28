"""What do the lists, posts and modals about rules say, in which language?"""

from __future__ import annotations

from collections.abc import Mapping

_WORDS: Mapping[str, tuple[str, str]] = {
    # states
    "draft": ("下書き", "draft"),
    "shadow": ("試運転", "shadow"),
    "canary": ("試し送り", "canary"),
    "live": ("稼働中", "live"),
    "paused": ("一時停止", "paused"),
    # the list
    "rules": ("規則", "Rules"),
    "rules.none": ("規則はまだありません。", "There are no rules yet."),
    "rules.count": ("{number} 件のうち {first}〜{last}", "{first} to {last} of {number}"),
    "row": (
        "該当 {matched} 人 ・ 送信 {sent} 通 ・ 配信停止 {opted_out} 人 ・ 対応中 {under_way} 人",
        "matched {matched} · sent {sent} · opted out {opted_out} · under way {under_way}",
    ),
    "row.broken": ("⚠️ 読み取れません: {because}", "⚠️ cannot be read: {because}"),
    "to.shadow": ("試運転にする", "Rehearse"),
    "to.canary": ("試し送りを始める", "Try on a few"),
    "to.live": ("全員へ送る", "Send to everybody"),
    "to.paused": ("止める", "Pause"),
    "edit": ("編集", "Edit"),
    "more.preview": ("プレビュー", "Preview"),
    "more.backtest": ("過去で試す", "Backtest"),
    "more.history": ("履歴・元に戻す", "History, roll back"),
    "next": ("次へ", "Next"),
    "previous": ("前へ", "Back"),
    "pause.all": ("⏸ すべて止める", "⏸ Pause everything"),
    "pause.end": ("▶ 再開する", "▶ Resume"),
    "pause.in_force": (
        "⏸ *すべて止まっています* ({by} {at})。規則からの送信は待っています。",
        "⏸ *Everything is paused* ({by} {at}). What rules send waits.",
    ),
    "pause.confirm": ("規則からの送信をすべて止めますか?", "Pause everything that rules send?"),
    "pause.confirm.text": (
        "待っている {waiting} 通は、再開のあとで条件を確かめ直してから送られます。人の返信は止まりません。",
        "{waiting} messages wait; after resuming each is checked again. What people write still goes out.",
    ),
    "resume.confirm": ("送信を再開しますか?", "Let rules send again?"),
    "resume.confirm.text": (
        "待っている {waiting} 通は、いまも条件に合うものだけが送られます。",
        "Of the {waiting} messages that wait, those that still fit are sent.",
    ),
    "toggle.confirm": ("{state}にしますか?", "Change to {state}?"),
    "toggle.shadow": (
        "判断だけして、何も送りません。送信待ち {waiting} 通、対応中 {under_way} 人。",
        "It decides and sends nothing. {waiting} messages wait, {under_way} people are under way.",
    ),
    "toggle.canary": (
        "はじめの数人だけに送り、問題がなければ全員に広がります。"
        "送信待ち {waiting} 通、対応中 {under_way} 人。",
        "It writes to the first few, and to everybody if that goes well."
        " {waiting} messages wait, {under_way} people are under way.",
    ),
    "toggle.live": (
        "条件に合う全員に送ります。送信待ち {waiting} 通、対応中 {under_way} 人。"
        "先にプレビューをおすすめします。",
        "It writes to everybody who matches. {waiting} messages wait, {under_way} people are under way."
        " A preview shows whom.",
    ),
    "toggle.paused": (
        "この規則からは何も送りません。送信待ち {waiting} 通、対応中 {under_way} 人。",
        "Nothing more goes out from it. {waiting} messages wait, {under_way} people are under way.",
    ),
    "yes": ("はい", "Yes"),
    "no": ("やめる", "Cancel"),
    "close": ("閉じる", "Close"),
    "cut": ("…ほかは省きました。", "… the rest is left out."),
    # loading, pages
    "loading": ("読み込んでいます…", "Loading…"),
    "loading.preview": (
        "お客様を調べています… {done}",
        "Looking through your customers… {done}",
    ),
    "loading.edit": ("確かめています…", "Checking…"),
    "preview": ("プレビュー", "Preview"),
    "preview.message": ("チャンネルで見る(自分だけ)", "Show it in the channel (only to me)"),
    "history": ("履歴", "History"),
    "history.line": (
        "*v{version}* {at} {by} ({origin}) ・ 対応中 {people} 人",
        "*v{version}* {at} {by} ({origin}) · {people} under way",
    ),
    "history.current": (
        "*v{version}* ← いまの版 {at} {by} ({origin}) ・ 対応中 {people} 人",
        "*v{version}* ← current, {at} {by} ({origin}) · {people} under way",
    ),
    "history.first": ("最初の版", "the first version"),
    "history.diff": ("差分", "Diff"),
    "history.back": ("一覧へ", "Back to the list"),
    "history.rollback": ("この版に戻す", "Roll back to this"),
    "history.trail": ("記録", "What was done"),
    "history.same": ("文面は同じです。", "The texts are the same."),
    "rollback.confirm": ("v{version} に戻しますか?", "Roll back to v{version}?"),
    "rollback.confirm.text": (
        "v{version} の内容で新しい版を作ります。対応中の {people} 人は、いまの版のまま続けます。",
        "A new version with the text of v{version} is made. The {people} people under way stay on theirs.",
    ),
    "origin.file": ("ファイル", "file"),
    "origin.edit": ("Slack", "Slack"),
    "origin.rollback": ("戻した", "rolled back"),
    # editing
    "editing": ("規則を編集", "Edit the rule"),
    "editing.intro": ("*{name}* `{rule}` v{version} ({state})", "*{name}* `{rule}` v{version} ({state})"),
    "editing.page": ("変更する所", "What to change"),
    "editing.nothing": ("Slackで変えられる値はありません。", "There is nothing to change in Slack."),
    "editing.conditions": ("条件・設定", "Conditions, settings"),
    "editing.texts": ("文面", "Texts"),
    "editing.next": ("確認へ", "Review"),
    "editing.save": ("この内容で保存", "Save"),
    "editing.same": ("何も変わっていません。", "Nothing was changed."),
    "editing.empty": ("空にはできません。", "This cannot be empty."),
    "editing.length": ("{count}/{most} 文字(UTF-16)", "{count}/{most} UTF-16 units"),
    "editing.fine": ("チェック: 問題なし", "Checks: nothing found"),
    "editing.long": (
        "{place} は長いため、ファイルで編集してください。",
        "{place} is too long for Slack: edit its file.",
    ),
    "editing.changes": ("変わること", "What changes"),
    "editing.matched": (
        "条件に合うお客様: {before} 人 → *{after} 人*",
        "Customers who match: {before} → *{after}*",
    ),
    "editing.sends": (
        "いま送るとしたら: {before} 通 → *{after} 通*",
        "Messages if sent now: {before} → *{after}*",
    ),
    "editing.people": (
        "いま対応中の {people} 人をどうしますか",
        "What happens to the {people} people under way?",
    ),
    "editing.keep": ("いまの版のまま続ける", "They stay on their version"),
    "editing.move": ("新しい版へ移す", "They go over to the new one"),
    "editing.shared": (
        "文面は次の規則でも使われています: {rules}。そちらの版も新しくなります。",
        "The text is used by these rules too, which get a new version: {rules}.",
    ),
    "editing.reopen": ("自分の変更を開き直す", "Reopen my changes"),
    "editing.lost": (
        "⚠️ 規則が変わり、この値の場所がなくなりました: {value}",
        "⚠️ The rule has changed and has no place for this any more: {value}",
    ),
    "problem": ("⚠️ {problem}", "⚠️ {problem}"),
    # approvals
    "approval.day": (
        "規則 *{rule}* が今日 *{recipients} 人* に達しました。続けて送りますか?",
        "The rule *{rule}* has reached *{recipients} people* today. May it go on?",
    ),
    "approval.sample": ("文面の例:", "A sample of its text:"),
    "approval.text": (
        "規則 *{rule}* が1人のお客様にこの文面を送ろうとしています。",
        "The rule *{rule}* wants to send exactly this to one customer.",
    ),
    "approval.waiting": ("ほかに {number} 件が待っています。", "{number} more wait."),
    "approve": ("承認", "Approve"),
    "refuse": ("送らない", "Refuse"),
    "approve.confirm": ("この文面を送りますか?", "Send exactly this?"),
    "approve.confirm.day": ("今日の残りも送りますか?", "Go on for the rest of today?"),
    "refuse.confirm": ("送らないことにしますか?", "Refuse this?"),
    "approval.asked": ("承認待ち", "Waits for approval"),
    "approval.approved": ("✅ 承認: {who} {at}", "✅ Approved: {who} {at}"),
    "approval.refused": ("🚫 送らない: {who} {at}", "🚫 Refused: {who} {at}"),
    "approval.stale": (
        "⌛ 状況が変わったため、この確認は無効です。必要なら新しい確認が届きます。",
        "⌛ Things have changed: this question is void. A new one comes if it is still needed.",
    ),
    "approval.over": ("⌛ この日は終わりました。", "⌛ That day is over."),
    # backtest
    "backtest.title": (
        "規則 *{rule}* を過去 {days} 日で試しました",
        "The rule *{rule}* on the past {days} days",
    ),
    "backtest.waiting": (
        "⏳ 規則 *{rule}* を過去のデータで試します…",
        "⏳ Replaying the past for the rule *{rule}*…",
    ),
    "backtest.running": (
        "⏳ 規則 *{rule}*: お客様 {done} / {total} 人",
        "⏳ The rule *{rule}*: {done} of {total} customers",
    ),
    "backtest.failed": (
        "⚠️ 規則 *{rule}* を試せませんでした: {because}",
        "⚠️ The rule *{rule}* could not be tried: {because}",
    ),
    "backtest.figures": (
        "条件に合った {matched} 人 ・ 対応に入った {entered} 人 ・ 送信 {sends} 通(1日 {least}〜{most})"
        " ・ 引き継ぎ {escalations} 件",
        "{matched} matched · {entered} entered · {sends} messages ({least} to {most} a day)"
        " · {escalations} leads",
    ),
    "backtest.base": (
        "何もしなくても目標に届いた割合: {rate}",
        "Share who reached the goal without any message: {rate}",
    ),
    "backtest.held": ("止めた理由: {gates}", "Held back by: {gates}"),
    "backtest.chart": ("1日の送信", "Messages a day"),
    "backtest.by": ("{who} の依頼", "asked by {who}"),
    # why
    "why.title": ("*{name}* について ({at})", "About *{name}* ({at})"),
    "why.more": ("詳しく", "Details"),
    "why.chance": ("次の機会: {at}", "next chance: {at}"),
    "why.none": ("公開中の規則がありません。", "No rule is published."),
    "why.messages": ("最近のメッセージ", "Latest messages"),
    "why.pick": ("{number} 人見つかりました。どのお客様ですか?", "{number} customers found. Which one?"),
    "why.rest": ("ほかの {number} 件の規則は対象外です。", "{number} more rules are not due."),
    "why.modal": ("理由", "Why"),
    "nameless": ("名前なし", "no name"),
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

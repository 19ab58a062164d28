"""What do our buttons, modals and cards say, in which language?"""

from __future__ import annotations

from collections.abc import Mapping

_WORDS: Mapping[str, tuple[str, str]] = {
    # buttons
    "send": ("送信", "Send"),
    "edit": ("編集", "Edit"),
    "regenerate": ("作り直す", "Regenerate"),
    "claim": ("担当する", "Claim"),
    "snooze": ("後で", "Snooze"),
    "dismiss": ("対象外", "Dismiss"),
    "won": ("受注", "Won"),
    "lost": ("失注", "Lost"),
    "sent": ("対応済み", "Answered"),
    "give_back": ("ボットに戻す", "Back to the bot"),
    "more.shorter": ("もっと短く", "Shorter"),
    "more.formal": ("もっと丁寧に", "More formal"),
    "more.own": ("言葉で指定…", "In my own words…"),
    "file.send": ("このファイルをお客様へ送る", "Send this file to the customer"),
    "undo": ("送信を取り消す", "Undo send"),
    "cancel": ("やめる", "Cancel"),
    # confirm dialogs
    "confirm.send": (
        "この文面をLINEで送りますか?(1通に数えます)",
        "Send exactly this on LINE? (counts as 1)",
    ),
    "confirm.file": ("LINEで送りますか?(1通に数えます)", "Send it on LINE? (counts as 1)"),
    "confirm.send.yes": ("送信する", "Send"),
    "confirm.lost": ("失注として閉じますか?", "Close this lead as lost?"),
    "confirm.won": ("受注として閉じますか?", "Close this lead as won?"),
    "confirm.close": ("カードのボタンはなくなります。", "The card's buttons go away."),
    # card
    "header": ("🔥 {name} 様", "🔥 {name}"),
    "header.company": ("🔥 {name} 様({company})", "🔥 {name} ({company})"),
    "score": (" 見込み {score}", " · score {score}"),
    "nameless": ("LINEのお客様", "LINE customer"),
    "plan": ("プラン", "Plan"),
    "value": ("金額", "Value"),
    "due": ("担当の期限", "Claim by"),
    "asked": ("打診中: {who}", "asked: {who}"),
    "company": ("会社", "Company"),
    "owner": ("担当", "Owner"),
    "nobody": ("未定", "nobody yet"),
    "contact": ("最後のやりとり", "Last contact"),
    "never": ("なし", "none"),
    "customer": ("お客様", "Customer"),
    "us": ("当社", "Us"),
    "more": ("…ほか", "… and more"),
    "no_lines": ("まだ会話はありません。", "Nothing has been said yet."),
    "unsent": ("(送信が取り消されました)", "(taken back)"),
    "kind.image": ("[画像]", "[image]"),
    "kind.video": ("[動画]", "[video]"),
    "kind.audio": ("[音声]", "[voice]"),
    "kind.file": ("[ファイル]", "[file]"),
    "kind.location": ("[位置情報]", "[location]"),
    "kind.sticker": ("[スタンプ]", "[sticker]"),
    "kind.other": ("[メッセージ]", "[message]"),
    "draft.model": ("AI下書き・未送信", "AI draft, not sent"),
    "draft.template": ("ひな形の下書き・未送信", "template draft, not sent"),
    "draft.person": ("手書きの下書き・未送信", "draft by a person, not sent"),
    "source.model": ("AI", "AI"),
    "source.template": ("ひな形", "template"),
    "source.person": ("手書き", "by a person"),
    "draft.too_long": (
        "長いため、編集画面で全文を確認して送ってください。",
        "Long: read it whole in Edit, and send there.",
    ),
    "draft.blocked": ("このままでは送れません。編集してください。", "Cannot be sent as it is. Edit it."),
    "draft.checked": ("チェック: 問題なし", "Checks: nothing found"),
    "draft.pending": ("下書きを作っています…", "Drafting…"),
    # state
    "state.new": ("担当者を待っています", "Waiting for somebody to claim it"),
    "state.claimed": ("{who} が担当中({at})", "Claimed by {who} ({at})"),
    "state.snoozed": ("保留中: {until} まで", "Snoozed until {until}"),
    "state.sent": ("✅ 対応済み {who} {at}", "✅ Answered {who} {at}"),
    "state.won": ("✅ 受注 {who} {at}", "✅ Won {who} {at}"),
    "state.lost": ("失注 {who} {at}", "Lost {who} {at}"),
    "state.dismissed": ("対象外 {who} {at}", "Dismissed {who} {at}"),
    "sent.queued": (
        "⏳ 送信待ち: {who} {at}(いまなら取り消せます)",
        "⏳ About to go out: {who} {at} (can be undone now)",
    ),
    "sent.sending": ("⏳ 送信中: {who} {at}", "⏳ Sending: {who} {at}"),
    "sent.accepted": (
        "📨 送信済み: {who} {at}(LINEが受け付けました)",
        "📨 Sent: {who} {at} (accepted by LINE)",
    ),
    "sent.dead": ("⚠️ 送れませんでした: {who} {at}", "⚠️ Not sent: {who} {at}"),
    "sent.unknown": (
        "⚠️ 送れたかどうか分かりません: {who} {at}。LINEのチャットで確認してください。",
        "⚠️ Nobody knows whether this went out: {who} {at}. Look into the LINE chat.",
    ),
    "sent.cancelled": ("↩️ 送信を取り消しました: {who} {at}", "↩️ Send undone: {who} {at}"),
    "sent.superseded": ("送信しませんでした: {who} {at}", "Not sent any more: {who} {at}"),
    "unreachable.not_linked": (
        "LINEにつながっていないため送れません。",
        "Not linked to LINE: cannot be sent to.",
    ),
    "unreachable.blocked": (
        "LINEでブロックされているため送れません。",
        "Blocked on LINE: cannot be sent to.",
    ),
    # modals
    "edit.title": ("文面を編集", "Edit the reply"),
    "edit.label": ("LINEで送る文面", "What goes out on LINE"),
    "edit.hint": (
        "「送信する」を押すと、あなたの名前でこのまま送られます。",
        "Pressing Send sends exactly this, in your name.",
    ),
    "edit.empty": ("文面を入力してください。", "Write something to send."),
    "edit.long": ("LINEの上限(5000文字)を超えています。", "Longer than LINE allows (5,000 characters)."),
    "edit.count": ("{count}/5000文字 ・ 1通に数えます", "{count}/5,000 characters · counts as 1 message"),
    "edit.take": ("差し替える", "Replace with"),
    "edit.templates": ("ひな形", "Templates"),
    "edit.versions": ("前の案", "Earlier versions"),
    "wish.title": ("作り直す", "Regenerate"),
    "wish.label": ("どのように書きますか", "How should it read?"),
    "wish.hint": ("例: 3行で。デモの日程を先に。", "For example: three lines, the demo dates first."),
    "wish.submit": ("作り直す", "Regenerate"),
    "wish.empty": ("希望を書いてください。", "Say how it should read."),
    "snooze.title": ("後で対応する", "Snooze"),
    "snooze.label": ("いつまで", "Until"),
    "snooze.1h": ("1時間後", "In one hour"),
    "snooze.tomorrow": ("明日 10:00", "Tomorrow 10:00"),
    "snooze.3d": ("3日後", "In three days"),
    "snooze.date": ("日付を選ぶ", "Pick a date"),
    "snooze.date_label": ("日付(「日付を選ぶ」のとき、10:00)", "Date (with “Pick a date”; at 10:00)"),
    "snooze.no_date": ("日付を選んでください。", "Pick a date."),
    "snooze.past": ("明日以降の日付を選んでください。", "Pick a day after today."),
    "snooze.submit": ("保留する", "Snooze"),
    "dismiss.title": ("対象外にする", "Dismiss"),
    "dismiss.label": ("理由", "Why"),
    "dismiss.submit": ("対象外にする", "Dismiss"),
    "reason.not_interested": ("関心がない", "Not interested"),
    "reason.wrong_signal": ("見込みではない(誤検知)", "Not a lead (false alarm)"),
    "reason.already_handled": ("対応済み", "Already handled"),
    "reason.duplicate": ("重複", "Duplicate"),
    "reason.other": ("その他", "Something else"),
    # home
    "home.mine": ("担当している見込み", "My open leads"),
    "home.none": ("いま担当している見込みはありません。", "You have no open leads."),
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

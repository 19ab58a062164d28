"""Which sentences say how somebody wishes to be written to, and which merely contain such words?"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.line.link_words import link_wish_in
from bot.line.stopwords import is_opt_out
from bot.line.wishes import Asked, asked_in

AT = datetime(2026, 11, 24, 3, tzinfo=UTC)
"""A Tuesday, noon in Tokyo."""
ZONE = ZoneInfo("Asia/Tokyo")

WISHES = [
    ("夜に送って", "hours", "18:00-22:00"),
    ("月1回にして", "often", 1),
    ("しばらく止めて", "pause", "2026-12-24"),
    ("来月まで送らないで", "pause", "2026-12-01"),
    ("朝だけにして", "hours", "06:00-11:00"),
    ("セールの案内はいらない", "topic", "offers"),
    ("夜に送ってください", "hours", "18:00-22:00"),
    ("お知らせは夜がいいです", "hours", "18:00-22:00"),
    ("お知らせは夜にお願いします", "hours", "18:00-22:00"),
    ("配信は朝だけでお願いします", "hours", "06:00-11:00"),
    ("18時以降に送って", "hours", "18:00-00:00"),
    ("お知らせは午後6時以降にしてください", "hours", "18:00-00:00"),
    ("連絡は19時から21時の間にしてほしいです", "hours", "19:00-21:00"),
    ("昼休みに送ってもらえますか？", "hours", "12:00-13:00"),
    ("夕方だけにして", "hours", "16:00-19:00"),
    ("午前中に届けてください", "hours", "06:00-12:00"),
    ("仕事終わりに送ってほしい", "hours", "18:00-22:00"),
    ("お知らせを月1回にしてください", "often", 1),
    ("月に一回だけ送って", "often", 1),
    ("週1回にして", "often", 4),
    ("週に1通くらいにしてほしい", "often", 4),
    ("お知らせは月２回まででお願いします", "often", 2),
    ("配信は隔週でいいです", "often", 2),
    ("月イチでお知らせをお願いします", "often", 1),
    ("頻度を減らしてください", "less", None),
    ("お知らせを減らして", "less", None),
    ("もう少しお知らせを減らしてもらえますか？", "less", None),
    ("通知が多すぎます", "less", None),
    ("配信の回数を少なくしてほしいです", "less", None),
    ("メッセージが多いです", "less", None),
    ("お知らせはたまにでいいです", "less", None),
    ("しばらく送らないで", "pause", "2026-12-24"),
    ("しばらく配信を停止してください", "pause", "2026-12-24"),
    ("忙しいのでしばらく止めてください", "pause", "2026-12-24"),
    ("当分お知らせは不要です", "pause", "2026-12-24"),
    ("２週間お知らせを止めて", "pause", "2026-12-08"),
    ("1か月ほど休止してください", "pause", "2026-12-24"),
    ("三日間送らないで", "pause", "2026-11-27"),
    ("来週まで止めて", "pause", "2026-11-30"),
    ("今月は送らないでください", "pause", "2026-12-01"),
    ("今月いっぱい配信を止めてください", "pause", "2026-12-01"),
    ("お知らせは来月まで止めてください", "pause", "2026-12-01"),
    ("12月まで送らないで", "pause", "2026-12-01"),
    ("12月10日まで送らないでください", "pause", "2026-12-11"),
    ("年末まで配信を休んで", "pause", "2027-01-01"),
    ("出張中なので来週まで送らないでください", "pause", "2026-11-30"),
    ("1ヶ月間お知らせはいらないです", "pause", "2026-12-24"),
    ("クーポンはいらない", "topic", "offers"),
    ("キャンペーンのお知らせは不要です", "topic", "offers"),
    ("セールのお知らせを止めてください", "topic", "offers"),
    ("割引の案内はいりません", "topic", "offers"),
    ("使い方のヒントはいらないです", "topic", "hints"),
    ("新機能のお知らせは送らないで", "topic", "news"),
    ("イベントの案内は必要ないです", "topic", "news"),
    ("お知らせを再開してください", "usual", None),
    ("配信再開お願いします", "usual", None),
    ("またお知らせを送ってください", "usual", None),
    ("配信設定", "menu", None),
    ("通知設定を変更したい", "menu", None),
    ("お知らせの頻度を変えたいです", "menu", None),
    ("evenings only please", "hours", "18:00-22:00"),
    ("Please message me in the evening", "hours", "18:00-22:00"),
    ("only in the morning", "hours", "06:00-11:00"),
    ("send messages after 6pm", "hours", "18:00-00:00"),
    ("text me between 7pm and 9pm please", "hours", "19:00-21:00"),
    ("once a month only", "often", 1),
    ("No more than once a week please", "often", 4),
    ("Send me updates once a month", "often", 1),
    ("fewer messages please", "less", None),
    ("less often please", "less", None),
    ("too many messages", "less", None),
    ("Pause messages for 2 weeks", "pause", "2026-12-08"),
    ("pause until next month please", "pause", "2026-12-01"),
    ("Don't message me until December", "pause", "2026-12-01"),
    ("don't send me any messages until next month", "pause", "2026-12-01"),
    ("no messages this month please", "pause", "2026-12-01"),
    ("Snooze notifications for a week", "pause", "2026-12-01"),
    ("no promotions please", "topic", "offers"),
    ("Don't send me any coupons", "topic", "offers"),
    ("please stop sending me offers", "topic", "offers"),
    ("no tips please", "topic", "hints"),
    ("resume messages", "usual", None),
    ("notification settings", "menu", None),
]
OTHERS = [
    "夜に送ってもらった資料はどこですか",
    "夜に送っていただいたメールを見ました",
    "夜に荷物を送ってください",
    "明日の夜に電話してください",
    "夜だけ動作が遅いです",
    "夜がいいです",
    "18時以降がいいです",
    "18時以降に電話してください",
    "18時に予約できますか",
    "朝だけログインできません",
    "朝にして",
    "支払いを月1回にしてください",
    "月1回のプランに変更したい",
    "月1回の請求にして",
    "週1回のミーティングを設定して",
    "月に1回しか使いません",
    "月1回バックアップを送ってくれる機能はありますか",
    "しばらく止めていた機能を再開したい",
    "しばらく使っていません",
    "しばらく待ってください",
    "しばらくお待ちください",
    "しばらく止めてもデータは残りますか",
    "解約ではなくしばらく休みたい",
    "来月まで待ってください",
    "来月まで契約はいらない",
    "来月まで無料ですか",
    "来月から使います",
    "来月の請求を止めて",
    "定期便を来月まで止めて",
    "次回の配送を2週間止めてください",
    "今月の請求書を送ってください",
    "今月は必要ないです",
    "2週間いりません",
    "12月まで使えますか",
    "12月10日までに送ってください",
    "セールの案内はいつ届きますか",
    "セールはいつですか",
    "セールの案内が届かない",
    "クーポンが使えない",
    "クーポンはいりますか",
    "クーポンを送ってください",
    "割引はいらないので早く届けてください",
    "イベントは中止ですか",
    "イベントはいらない",
    "使い方がわからない",
    "使い方の案内を送って",
    "新機能を止めてください",
    "お知らせ機能の使い方を教えて",
    "お知らせが届きません",
    "お知らせが多い月はいつですか",
    "通知が多すぎるユーザーを減らす方法は？",
    "通知設定の画面が開きません",
    "配信設定の方法を教えてください",
    "お客様への配信を夜に設定する方法",
    "お知らせを再開するにはどうすればいいですか",
    "頻度はどれくらいですか",
    "回数を減らしたら安くなりますか",
    "もう少し減らして",
    "たまに落ちます",
    "夜中に送ってきたのは誰ですか",
    "夜に送っておきました",
    "三日間届きません",
    "in the evening",
    "I use it in the evening only at home",
    "once a month",
    "weekly",
    "Can I pay once a month?",
    "pause my subscription until next month",
    "pause",
    "please pause the video for a minute",
    "don't cancel until December",
    "how do I turn on notification settings",
    "is there a sale this month",
    "too many errors",
    "send me the invoice after 6pm",
    "send it to Bob in the evening",
    "less",
    "stop the export for 2 weeks",
    "resume my plan",
    "I got no messages this month",
]


def asked(text: str) -> Asked | None:
    return asked_in(text, at=AT, zone=ZONE)


def value(found: Asked) -> object:
    if found.until is not None:
        return f"{found.until:%Y-%m-%d}"
    if found.hours is not None:
        return f"{found.hours[0]:%H:%M}-{found.hours[1]:%H:%M}"
    return found.per_30_days or found.topic


def test_there_are_enough_of_both() -> None:
    assert len(set(map(str, WISHES))) >= 60
    assert len(set(OTHERS)) >= 60


@pytest.mark.parametrize(("text", "asks", "wished"), WISHES, ids=str)
def test_a_wish_is_understood(text: str, asks: str, wished: object) -> None:
    found = asked(text)
    assert found is not None
    assert (found.asks, value(found)) == (asks, wished)
    assert not is_opt_out(text)


@pytest.mark.parametrize("text", OTHERS)
def test_what_merely_contains_such_words_is_for_a_person(text: str) -> None:
    assert asked(text) is None


@pytest.mark.parametrize("text", ["停止", "もう送らないで", "配信停止", "stop", "お知らせはいりません"])
def test_a_stop_is_no_wish(text: str) -> None:
    assert asked(text) is None


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("お知らせを今週は止めて", "2026-11-30"),
        ("来週いっぱい配信を止めて", "2026-12-07"),
        ("1月まで送らないで", "2027-01-01"),
        ("11月いっぱい配信を止めて", "2026-12-01"),
        ("12月末まで送らないで", "2027-01-01"),
        ("年明けまで配信を休んで", "2027-01-04"),
        ("明日まで送らないで", "2026-11-25"),
        ("半年お知らせを止めて", "2027-05-25"),
    ],
)
def test_a_pause_ends_on_the_day_that_was_meant(text: str, until: str) -> None:
    found = asked(text)
    assert found is not None
    assert value(found) == until


@pytest.mark.parametrize(
    "text",
    [
        "",
        "。",
        "9" * 70,
        "99月まで送らないで",
        "2月31日まで送らないで",
        "25時以降に送って",
        "900日送らないで",
    ],
)
def test_what_cannot_be_is_for_a_person(text: str) -> None:
    assert asked(text) is None


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("連携", "start"),
        ("アカウント連携", "start"),
        ("連携したいです", "start"),
        ("link my account", "start"),
        ("連携解除", "end"),
        ("アカウント連携を解除したい", "end"),
        ("unlink", "end"),
        ("連携できません", None),
        ("連携解除の方法は？", None),
        ("他社サービスとの連携はできますか", None),
        ("解除", None),
    ],
)
def test_words_about_the_link(text: str, wish: str | None) -> None:
    assert link_wish_in(text) == wish

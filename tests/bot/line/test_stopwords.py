"""Which words stop everything, and which are for a person to read?"""

from __future__ import annotations

import re

import pytest

from bot.line.stopwords import is_opt_out

STOPS = [
    "停止",
    "配信停止",
    "いらない",
    "ストップ",
    "やめて",
    "解除",
    "stop",
    "STOP",
    "Ｓｔｏｐ",
    "ｽﾄｯﾌﾟ",
    "すとっぷ",
    "unsubscribe",
    "Unsubscribe me",
    "cancel",
    "停止。",
    "停止！！",
    "停止🙏",
    " 停 止 ",
    "配信を停止してください",
    "配信停止でお願いします",
    "配信停止希望",
    "お知らせを停止",
    "お知らせはいりません",
    "お知らせはもういらないです",
    "もういらない",
    "もういいので停止",
    "要らないです",
    "いりません",
    "不要です",
    "通知不要",
    "やめてください",
    "もうやめて！",
    "送らないで",
    "送らないでください",
    "もう送ってこないで",
    "連絡しないでください",
    "LINEの配信をやめてほしい",
    "すみませんが、配信を止めてください",
    "配信を止めて下さい",
    "停止してもらえますか？",
    "停止していただけますか",
    "解除します",
    "配信解除お願いします",
    "登録解除",
    "please stop",
    "Stop please",
    "stop sending me messages",
    "stop messaging me",
    "Don't send me any more messages",
    "opt out",
    "オプトアウト",
    "やめてー",
    "ストップ!",
    "もう結構です停止して",
    "配信拒否",
    "配信キャンセル",
    "お知らせ不要です",
    "広告いりません",
    "ＵＮＳＵＢＳＣＲＩＢＥ",
]

GOES_ON = [
    "停止ボタンはどこですか",
    "停止ボタンはどこですか？",
    "停止しないで",
    "やめないで",
    "停止？",
    "停止って何ですか",
    "配信停止の方法を教えてください",
    "解除方法",
    "解除できません",
    "解除の仕方が分かりません",
    "ブロック解除しました",
    "契約解除について",
    "契約を解除したい",
    "予約をやめてもいいですか",
    "予約をキャンセルしたい",
    "キャンセル",
    "注文をキャンセルしてください",
    "サービスを停止したい",
    "機械が停止しました",
    "エラーで停止する",
    "動画が途中で停止します",
    "バス停",
    "ストップウォッチ",
    "ストップウォッチの使い方",
    "ワンストップ",
    "nonstop",
    "Don't stop",
    "bus stop",
    "stop by tomorrow",
    "I can't stop using it",
    "cancel my order",
    "How do I cancel my plan?",
    "end of month",
    "もういらないファイルを消したい",
    "いらないデータはどう消しますか",
    "いらない機能が多い",
    "不要な項目を消したい",
    "やめてよかった",
    "仕事をやめて時間ができました",
    "タバコをやめて3年です",
    "会社を辞めて",
    "こんにちは",
    "ありがとう",
    "はい",
    "大丈夫です",
    "結構です",
    "続けて",
    "再開",
    "受け取る",
    "お知らせをください",
    "停止中の契約を再開したい",
    "配信はいつですか",
    "配信時間を変えられますか",
    "止めてあった請求書の件",
    "これは何ですか",
    "必要です",
    "いるいらないは別として教えて",
    "この登録",
    "中止",
    "終了",
    "解約したい",
    "来ないで",
    "退会",
    "退会したい",
    "停止 ボタン",
    "いらない？",
    "stopwatch",
    "please don't stop",
    "！？",
    "🙏",
    "",
]


_SOUNDS_LIKE = re.compile("停止|解除|やめ|止め|いらない|不要|ストップ|キャンセル|stop|cancel", re.IGNORECASE)


def test_the_tables_are_not_short() -> None:
    assert len(set(STOPS)) >= 40
    assert len({text for text in GOES_ON if _SOUNDS_LIKE.search(text)}) >= 40


@pytest.mark.parametrize("text", STOPS)
def test_it_stops(text: str) -> None:
    assert is_opt_out(text)


@pytest.mark.parametrize("text", GOES_ON)
def test_a_person_reads_it(text: str) -> None:
    assert not is_opt_out(text)


@pytest.mark.parametrize(
    "text", ["停止" * 40, "お知らせ" * 14 + "停止x", "すみませんが" * 9 + "？", "stop" * 14]
)
def test_long_and_repeated_texts_are_answered_at_once(text: str) -> None:
    assert not is_opt_out(text)

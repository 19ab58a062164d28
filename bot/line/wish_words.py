# ruff: noqa: E501  patterns are read as one piece
"""In which words do people say how they wish to be written to, in Japanese and in English?

Patterns over whole utterances. Japanese ones see text without spaces, punctuation and long vowels (セル is セール),
English ones single-spaced lower case.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time

import regex

# --- Japanese -----------------------------------------------------------------------------------------

DROPPED = regex.compile(r"[\s\p{P}\p{S}\p{M}\p{Cf}\p{Co}\p{So}ーｰ～〜]+")
COLON = regex.compile(r"(\d)\s*[:]\s*(\d\d)")
_SORRY = (
    "すみませんが?|すいませんが?|ごめんなさい|ごめん|申し訳(?:ない|ありません|ございません)(?:です)?が|恐れ入りますが"
    "|お手数ですが|あの|できれば|できたら|可能なら|可能であれば|今後は?|これからは?|なるべく|もう|もっと"
    "|(?:今は?|最近)?(?:とても|すごく)?忙しい(?:ので|から|ため)|(?:旅行|出張|入院|休暇|育休|産休)(?:中)?(?:なので|だから|のため|で)"
)
_THING = "(?:line|ライン|らいん)?(?:で)?(?:の)?(?:お知らせ|おしらせ|通知|配信|メッセジ|ご?連絡|ご?案内|メルマガ|dm|お便り|情報|送信|トク|line|ライン)"
_OF = "(?:を|は|も|が|の|って|なら|に(?:ついて|関して)は?)?"
_SENDS = "(?:送|贈)(?:って|信して|るようにして|ってほしい|って欲しい)|お送り|配信して|届けて|届くようにして|配信するようにして"
_ASKS = (
    "(?:ください|下さい|くださいませ|下さいませ|くれ(?:ますか|ませんか|る)?|ほしい(?:です)?|欲しい(?:です)?|ね|よ|ちょうだい"
    "|もらえますか|もらえませんか|いただけますか|頂けますか|いただけませんか|もらっていいですか|お?願い(?:します|いたします|致します)?)?"
)
_MAKES = (
    rf"に(?:し|設定し|変更し|変え)て{_ASKS}|に(?:し|変更し)たい(?:です)?|に変更{_ASKS}|でお?願い(?:します|いたします|致します|できますか)?"
    r"|に(?:して)?(?:もらえますか|いただけますか|できますか)|希望(?:です|します)?"
)
_WISHES = (
    rf"{_MAKES}|が(?:いい|良い|よい)(?:です|な|かな)?|(?:で|が)(?:十分|充分|けっこう|結構)(?:です)?"
    r"|で(?:いい|良い|よい|よろしい)(?:です|よ|ですよ)?|のほうがいい(?:です)?|の方がいい(?:です)?"
)
_END = "(?:です|ね|よ|と(?:助かります|嬉しいです|うれしいです|ありがたいです)|ありがとう(?:ございます)?)?"

_CLOCK = r"(?:(?P<half{n}>午前|午後|朝|昼|夜|夕方)の?)?(?P<hour{n}>\d{{1,2}})(?:時(?P<min{n}>半|\d{{1,2}}分)?|時間?)"
PARTS: Mapping[str, tuple[time, time]] = {
    "朝": (time(6), time(11)),
    "朝方": (time(6), time(11)),
    "早朝": (time(6), time(9)),
    "午前": (time(6), time(12)),
    "午前中": (time(6), time(12)),
    "昼": (time(11), time(14)),
    "お昼": (time(11), time(14)),
    "昼休み": (time(12), time(13)),
    "昼間": (time(9), time(17)),
    "日中": (time(9), time(17)),
    "午後": (time(12), time(18)),
    "夕方": (time(16), time(19)),
    "夕方以降": (time(16), time(22)),
    "夜": (time(18), time(22)),
    "夜間": (time(18), time(22)),
    "晩": (time(18), time(22)),
    "仕事終わり": (time(18), time(22)),
    "仕事のあと": (time(18), time(22)),
}
_PART = "|".join(sorted(PARTS, key=len, reverse=True))
_WHEN = (
    rf"(?:(?P<part>{_PART})(?:の?時間帯?)?"
    rf"|{_CLOCK.format(n=1)}(?:から|以降)?{_CLOCK.format(n=2)}(?:まで)?(?:の?間)?"
    rf"|{_CLOCK.format(n=3)}(?P<side>以降|から|すぎ|過ぎ|より後|まで|以前|前|より前))"
)
_ONLY = "(?:だけ|のみ)"
_LEAD = rf"(?:{_SORRY})*"
_ABOUT = rf"(?:{_THING}{_OF}){{1,2}}"

HOURS_JA = regex.compile(
    rf"{_LEAD}(?:"
    rf"(?:{_ABOUT})?(?:{_SORRY})?{_WHEN}(?:に{_ONLY}?|{_ONLY}に?|へ)?(?:{_ABOUT})?(?:{_SENDS}){_ASKS}"
    rf"|(?:{_ABOUT})?{_WHEN}{_ONLY}(?:に(?:し|設定し|変更し)て{_ASKS}|でお?願い(?:します|いたします)?|に変更{_ASKS})"
    rf"|{_ABOUT}(?:{_SORRY})?{_WHEN}{_ONLY}?(?:{_WISHES}|に{_ASKS})"
    rf"|{_WHEN}{_ONLY}?(?:の|に)?{_THING}(?:{_WISHES})"
    rf"){_END}"
)
_COUNT = "(?P<count>[1-9一二三四五六七八九])"
_RATE = (
    rf"(?:(?P<unit>月|週|1か月|ひと月|1週間|毎月|毎週)(?:に)?{_COUNT}(?:回|通|度|件)"
    r"|(?P<one>月イチ|月いち|月一|週イチ|週いち|週一|隔週|2週間?に1(?:回|通|度)|二週間?に一(?:回|通|度)))"
)
_ABOUT_SO = "(?:くらい|ぐらい|程度|ほど|まで|以下|以内|だけ|のみ|だけ)*"
OFTEN_JA = regex.compile(
    rf"{_LEAD}(?:"
    rf"(?:{_ABOUT})?(?:{_SORRY})?{_RATE}{_ABOUT_SO}(?:に(?:し|減らし|抑え|設定し|変更し)て{_ASKS}|に(?:し|減らし)たい(?:です)?|に変更{_ASKS}"
    rf"|{_SENDS}{_ASKS}|の(?:{_THING})(?:{_WISHES})|で?{_ABOUT}お?願い(?:します|いたします)?)"
    rf"|{_ABOUT}(?:{_SORRY})?{_RATE}{_ABOUT_SO}(?:{_WISHES}|に{_ASKS})?"
    rf"|(?:頻度|回数)(?:は|を)?{_RATE}{_ABOUT_SO}(?:{_WISHES})?"
    rf"){_END}"
)
_BIT = "(?:もう)?(?:少し|すこし|ちょっと|もっと|だいぶ)?"
_FEWER = rf"(?:減らし|少なくし|へらし|控えめにし|抑え)て{_ASKS}|(?:減ら|少なく)(?:してほしい|したい)(?:です)?"
LESS_JA = regex.compile(
    rf"{_LEAD}(?:もう少し|もうすこし|ちょっと)?(?:"
    rf"{_ABOUT}(?:{_BIT})(?:(?:回数|頻度|数|量|件数)(?:を|が|も)?)?{_BIT}(?:{_FEWER})"
    rf"|(?:{_THING}の?)?(?:回数|頻度)(?:を|が)?{_BIT}(?:{_FEWER}|(?:下げ|落とし)て{_ASKS}|多すぎ(?:ます|る)?|が?高すぎ(?:ます|る)?)"
    rf"|{_ABOUT}(?:回数が|数が|頻度が|ちょっと|少し|すこし)?(?:多すぎ(?:ます|る|です|て困ります)?|多い(?:です|ので減らして{_ASKS}))"
    rf"|{_ABOUT}(?:たまに|ときどき|時々)(?:{_WISHES}|{_SENDS}{_ASKS})"
    rf"|(?:たまに|ときどき|時々){_ONLY}?(?:{_SENDS}){_ASKS}"
    rf"){_END}"
)
_SPAN = (
    r"(?:(?P<while>しばらく(?:の間)?|当分(?:の間)?|当面(?:の間)?|ちょっとの間|少しの間)"
    r"|(?P<number>\d{1,3}|[一二三四五六七八九十半])(?P<of>日|週間|か月|月|年)(?:間|のあいだ|の間)?(?:ほど|くらい|ぐらい|だけ)?"
    r"|(?P<name>今月(?:いっぱい|中|末まで)?|今週(?:いっぱい|中|末まで)?|来月(?:まで|になるまで)|来月(?:いっぱい|末)(?:まで)?"
    r"|来週(?:まで|になるまで)|来週いっぱい|再来週まで|再来月まで|年末まで|年内|年明けまで|来年まで|明日まで|あしたまで|明後日まで|月末まで|週末まで|週明けまで)"
    r"|(?P<month>\d{1,2})月(?:(?P<day>\d{1,2})日|(?P<whole>いっぱい|末)|(?P<early>上旬|初め|はじめ))?(?:まで|になるまで)?"
    r"|(?P<only_day>\d{1,2})日まで)"
)
_REST = (
    rf"(?:(?:止|と|停|や|辞)めて(?:おいて)?{_ASKS}|(?:停止|休止|中止|ストップ|すとっぷ|お?休み|中断|保留)(?:に?して(?:おいて)?{_ASKS}|したい(?:です)?|希望(?:です)?|{_ASKS}|で)"
    rf"|(?:送|おく)(?:らない|ってこない|らなくていい)で?{_ASKS}(?:です)?|送信しないで{_ASKS}|配信しないで{_ASKS}|(?:控え|ひかえ|休ん|遠慮し)[てで]{_ASKS}"
    rf"|しないで{_ASKS}|(?:いら|要ら)(?:ない|ん)(?:です)?|いりません|要りません|不要(?:です)?|必要(?:ない|ありません)(?:です)?|休みたい(?:です)?|止めたい(?:です)?)"
)
_BARE_REST = rf"(?:{_REST})"
PAUSE_JA = regex.compile(
    rf"{_LEAD}(?:"
    rf"{_SPAN}(?:は|の)?(?:{_ABOUT})?{_BARE_REST}"
    rf"|{_ABOUT}(?:{_SORRY})?{_SPAN}(?:は)?{_BARE_REST}"
    rf"){_END}"
)
AMBIGUOUS = regex.compile(
    rf"{_LEAD}{_SPAN}(?:は|の)?(?:しないで{_ASKS}|中止.*|保留.*|中断.*|(?:いら|要ら)(?:ない|ん)(?:です)?|いりません|要りません|不要(?:です)?"
    rf"|必要.*|やめて{_ASKS}|休みたい(?:です)?|お?休み.*|休ん.*|遠慮.*){_END}"
)
"""Might as well be about a plan, a booking or a delivery: without the word for our messages a person reads it."""
_TOPICS = {
    "offers": "セル|クポン|キャンペン|プロモション|販促|バゲン|特売|お得な?情報",
    "hints": "使い方(?:の?ヒント)?|使いかた|ヒント|コツ|活用(?:法|術|方法)?|チュトリアル",
    "news": "新機能|ニュス|アップデト(?:情報)?|イベント|セミナ|ウェビナ|新着(?:情報)?",
}
_WEAK_TOPICS = {
    "offers": "割引|特典|おすすめ|オススメ|新商品|商品|有料プラン|アップグレド",
    "news": "更新",
    "hints": "操作",
}
TOPIC_JA = regex.compile(
    rf"{_LEAD}(?:(?:"
    + "|".join(rf"(?P<{topic}>{words})" for topic, words in _TOPICS.items())
    + rf")(?:(?:の|に関する|についての|系の|関連の|関係の)?{_THING}){{0,2}}|(?:"
    + "|".join(rf"(?P<weak_{topic}>{words})" for topic, words in _WEAK_TOPICS.items())
    + rf")(?:の|に関する|についての|系の)?{_THING})(?:は|も|を|とか|なんか|だけ)*(?:もう)?"
    rf"(?:(?:いら|要ら)(?:ない|ん)(?:です)?|いりません|要りません|不要(?:です)?|必要(?:ない|ありません)(?:です)?|送らないで{_ASKS}"
    rf"|送ってこないで{_ASKS}|(?:止|と|停|や)めて{_ASKS}|(?:配信)?停止(?:して{_ASKS}|{_ASKS}|希望)?|けっこうです|結構です|興味(?:が|は)?(?:ない|ありません)(?:です)?"
    rf"|届かないようにして{_ASKS}){_END}"
)
TOPIC_NEEDS_THING = regex.compile(
    r"(?:使い方|使いかた|新機能|アップデト|イベント|セミナ|ウェビナ|コツ)(?:は|も|を|だけ)*(?:もう)?(?:いら|要ら|いりません|要りません|不要|必要|けっこう|結構|停止|(?:止|と|停|や)め).*"
)
USUAL_JA = regex.compile(
    rf"{_LEAD}(?:{_ABOUT}(?:また|やっぱり)?(?:の)?(?:再開|復活)(?:して{_ASKS}|{_ASKS}|したい(?:です)?|希望(?:です)?)"
    rf"|配信再開(?:して{_ASKS}|{_ASKS}|希望(?:です)?)?|{_ABOUT}(?:また|やっぱり)(?:{_SENDS}){_ASKS}|また(?:{_ABOUT})(?:{_SENDS}){_ASKS}"
    rf"|{_ABOUT}(?:元|もと|通常|普通)(?:の頻度|の回数|どおり|通り)?に(?:戻し|もどし)て{_ASKS}|{_ABOUT}いつでも(?:いい|大丈夫|OK|ok)(?:です)?){_END}"
)
MENU_JA = regex.compile(
    rf"{_LEAD}(?:(?:配信|通知|お知らせ|受信|メッセジ)の?設定(?:を|の)?(?:変更|変えたい|変更したい|確認|確認したい|したい|画面|メニュ)?(?:です|{_ASKS})"
    rf"|(?:配信|通知|お知らせ)の?(?:頻度|時間帯?|回数)(?:を|の)?(?:変更|変えたい|変更したい|変えられますか|変更できますか)(?:です|{_ASKS}))"
)

# --- English ------------------------------------------------------------------------------------------

BETWEEN_WORDS = regex.compile(r"[^\p{L}\p{N}:']+")
_HI = r"(?:please |pls |hi |hello |sorry |ok |can you |could you |would you )*"
_THANKS = r"(?: please| pls| thanks| thank you| thx| from now on| instead| if possible)*"
_IT = r"(?:(?:me )?(?:your |the |any |these )?(?:messages?|texts?|updates?|notifications?|news|them|it)(?: to me)?|me)"
_SEND_EN = rf"(?:(?:only )?(?:send|message|text|contact|write to|write|notify|line)(?: {_IT})?)"
PARTS_EN: Mapping[str, tuple[time, time]] = {
    "morning": PARTS["朝"],
    "lunchtime": PARTS["昼"],
    "afternoon": PARTS["午後"],
    "evening": PARTS["夜"],
    "night": PARTS["夜"],
    "daytime": PARTS["日中"],
    "day": PARTS["日中"],
}
_PART_EN = (
    r"(?:(?:in|during) the (?P<part>morning|afternoon|evening|daytime|day)s?|at (?P<part_at>night|lunchtime)"
    r"|(?:in |on )?(?P<parts>mornings|afternoons|evenings|nights))"
)
_HOUR_EN = r"(?P<hour{n}>\d{{1,2}})(?::(?P<min{n}>\d\d))? ?(?P<half{n}>am|pm)?"
_WHEN_EN = (
    rf"(?:{_PART_EN}|(?P<side>after|before|from) {_HOUR_EN.format(n=3)}"
    rf"|(?:between|from) {_HOUR_EN.format(n=1)} (?:and|to|until|till) {_HOUR_EN.format(n=2)})"
)
HOURS_EN = regex.compile(
    rf"{_HI}(?:{_SEND_EN} (?:only )?{_WHEN_EN}(?: only)?|only {_WHEN_EN}|{_WHEN_EN} only"
    rf"|(?:messages?|updates?|notifications?) (?:only )?{_WHEN_EN}(?: only)?){_THANKS}"
)
OFTEN_EN = regex.compile(
    rf"{_HI}(?:{_SEND_EN} |messages? |updates? |make it |only |not more than |no more than |at most )*"
    r"(?:(?P<times>once|twice|three times|(?:1|one) message|2 messages|two messages) (?:a|per|every|each) (?P<per>week|month)"
    r"|(?P<adverb>weekly|monthly))(?P<mark> only| is enough| at most| max| is fine)?"
    rf"{_THANKS}"
)
LESS_EN = regex.compile(
    rf"{_HI}(?:(?:send (?:me )?)?(?:fewer|less) (?:messages?|updates?|notifications?|texts?)|{_SEND_EN} less often|less often"
    r"|(?:there are |that's |you send )?(?:me )?(?:too many|so many) (?:messages?|updates?|notifications?|texts?)"
    rf"|(?:messages?|updates?) less often){_THANKS}"
)
MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_SPAN_EN = (
    r"(?:for (?:the next )?(?P<number>\d{1,3}|a|an|one|two|three|four|six) (?P<of>day|week|month)s?|(?P<while>for a while|for now|for some time)"
    rf"|until (?P<name>tomorrow|next week|next month|next year|the end of the month)|until (?P<month>{'|'.join(MONTHS)})(?: (?P<day>\d{{1,2}})(?:st|nd|rd|th)?)?"
    r"|(?P<this>this week|this month))"
)
PAUSE_EN = regex.compile(
    rf"{_HI}(?:(?:pause|snooze|mute|hold|suspend)(?: (?:all|the|your|my|these)?(?: ?(?:messages?|updates?|notifications?|texts?))?)? {_SPAN_EN}"
    rf"|(?:don't|do not|dont|stop|no need to) (?:send|sending|message|messaging|text|texting|contact|contacting|write|writing)(?: to)?(?: me)?"
    rf"(?: (?:any|more|your|these))*(?: (?:messages?|updates?|texts?|anything))? {_SPAN_EN}"
    rf"|no (?:more )?(?:messages?|updates?|notifications?|texts?) {_SPAN_EN}){_THANKS}"
)
TOPIC_EN = regex.compile(
    rf"{_HI}(?:no(?: more)? |(?:don't|do not|dont|stop) (?:send|sending)(?: me)? (?:any |your |the |more )*|i (?:don't|do not) want (?:any )?)"
    r"(?:(?P<offers>sales?|promos?|promotions?|promotional|offers?|coupons?|deals?|discounts?|campaigns?)"
    r"|(?P<hints>tips|hints|how to|tutorials?)|(?P<news>news|product updates|event|events|webinars?))"
    rf"(?: (?:messages?|emails?|updates?|news|notifications?|invitations?))?{_THANKS}"
)
USUAL_EN = regex.compile(
    rf"{_HI}(?:resume|restart|unpause|unmute)(?: sending)?(?: (?:the |your |all )?(?:messages?|updates?|notifications?)){_THANKS}"
    rf"|{_HI}(?:start )?send(?:ing)? (?:me )?(?:messages?|updates?) again{_THANKS}"
)
MENU_EN = regex.compile(
    rf"{_HI}(?:(?:change )?(?:my )?)?(?:message|notification|messaging|delivery|update)s? (?:settings?|preferences?){_THANKS}"
)
NUMBERS = {word: number for number, word in enumerate("一二三四五六七八九十", 1)} | {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "six": 6, "once": 1, "twice": 2,
}  # fmt: skip

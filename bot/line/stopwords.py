"""Does a customer ask, with the whole of what they write, to be left alone?

Only whole utterances count: a stop word inside a question or another sentence is for a person to read.
"""

from __future__ import annotations

import unicodedata

import regex

_PUNCTUATION = regex.compile(r"[\s\p{P}\p{S}\p{M}\p{Cf}\p{Co}\p{So}ーｰ～〜]+")
"""Long vowels go too: ストープ, すとっぷー, やめてー. Emoji and their joiners go."""
_ASKS = regex.compile(r"[?]\s*\P{L}*$")

_SORRY = (
    "すみませんが?|すいませんが?|ごめんなさい|ごめん|申し訳(?:ない|ありません|ございません)(?:です)?が"
    "|恐れ入りますが|お手数ですが|あの|えと|いや|もう|もお|今後は?|これ以上は?|とりあえず|一旦|いったん|一度"
    "|いいので|いいです|結構です(?:ので)?|今すぐに?|すぐに?|至急|全部|全て|すべて|ぜんぶ|お願いだから|頼むから|まじで|本当に|ほんとに"
)
_THINGS = (
    "お知らせ|おしらせ|通知|配信|メッセジ|ご?連絡|ご?案内|line|ライン|らいん|広告|宣伝|これ|この|メルマガ|めるまが"
    "|送信|購読|登録|友だち登録|友達登録|営業|セルス|dm|トク"
)
_OF = "を|は|も|が|の|とか|なんか|自体"
_NOUNS = (
    "停止|ていし|ストップ|すとっぷ|stop|解除|かいじょ|拒否|キャンセル|終了|中止"
    "|オプトアウト|optout|unsubscribe"
)
_DO = (
    "を?(?:して|し)?(?:てください|て下さい|ください|下さい|くださいませ|下さいませ|くれ|くれる|ほしい|欲しい"
    "|ちょうだい|頂戴|もらえますか|いただけますか|頂けますか|いただけませんか|もらえませんか"
    "|いただけますでしょうか|もらっていいですか)?"
    "|を?します|を?する|しろ|せよ|を?したい|を?したいです|を?希望|を?希望します|を?希望です|希望いたします"
    "|を?お?(?:願い|ねがい)(?:します|いたします|致します|申し上げます|です)?"
    "|で|でお?(?:願い|ねがい)(?:します|いたします|致します)?|願います|です|だ|で頼む|でよろしく|してよ|してね|してって|しといて|しておいて(?:ください|下さい)?"
)
_END = (
    "です|だよ|だ|よ|ね|わ|な|って|から|ですよ|ですね|んだけど|んですけど|のですが|お?願いします|お?願いいたします"
    "|ありがとう(?:ございます)?"
)
_PLEASE = (
    "(?:ください|下さい|くださいませ|下さいませ|くれ|くれる|ほしい|欲しい|ほしいです|欲しいです|ちょうだい"
    "|頂戴|もらえますか|いただけますか|頂けますか|いただけませんか|もらえませんか|もらっていいですか|お?願いします)?"
)

_JAPANESE = regex.compile(
    rf"(?:{_SORRY})*"
    rf"(?:(?:{_THINGS})(?:{_OF})?)*"
    rf"(?:{_SORRY})*"
    r"(?:"
    rf"(?:{_NOUNS})(?:{_DO})"
    rf"|(?:要|い)(?:らない|りません|らん|らねえ|らねぇ|らないっす)"
    r"|必要(?:ない|ありません|ないです)"
    r"|不要(?:です)?"
    rf"|(?:やめ|辞め|止め|とめ)(?:て|ろ|てくれ|たい|ます|る){_PLEASE}"
    rf"|(?:送|おく)(?:って|り|りつけて)?(?:らないで|こないで|来ないで|つけないで|らなくていい|らなくて結構){_PLEASE}"
    rf"|(?:しないで|来ないで|こないで){_PLEASE}"
    r")"
    rf"(?:{_END})*"
    rf"(?:{_SORRY})*"
)
_ENGLISH = regex.compile(
    r"(?:please|pls|plz|hi|hello|sorry|no|ok)*"
    r"(?:stopp?|stopit|stopall|stopthis|stopnow|unsub|unsubscribe(?:me)?|cancel|cancelall|end|quit|optout"
    r"|optmeout|removeme|nomoremessages?|nomore|leavemealone"
    r"|stop(?:sending)?(?:me)?(?:any|these|the|all|your)?(?:more)?"
    r"(?:messages?|texts?|notifications?|line|updates?)"
    r"|stop(?:texting|messaging|contacting|writing)(?:me|tome)?"
    r"|i?(?:want|wantto|wouldliketo|d?liketo)(?:stop|unsubscribe|optout)"
    r"|(?:dont|donot)(?:send|message|text|contact)(?:me)?(?:any|these)?(?:more)?(?:messages?|texts?)?"
    r"(?:anymore|again)?)"
    r"(?:please|pls|plz|now|thanks|thankyou|thx)*"
)
_TOO_LITTLE = regex.compile(
    rf"(?:{_SORRY})*(?:しないで|来ないで|こないで|終了|中止|キャンセル|登録|この|これの?)(?:{_DO}|{_PLEASE}|{_END})*"
)
"""Might as well be about an order, a booking or something else: a person reads it."""
_MOST = 60


def is_opt_out(text: str) -> bool:
    """Is this, as a whole, a wish to get no more messages? Any width, case, politeness or punctuation.

    A question is one only in the form of a polite request (停止してもらえますか).
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    if len(plain) > _MOST:
        return False
    bare = _PUNCTUATION.sub("", plain)
    if not bare:
        return False
    if _ASKS.search(plain) and not regex.search(r"(?:ますか|ませんか|いいですか|でしょうか|くれる)$", bare):
        return False
    if _ENGLISH.fullmatch(bare):
        return True
    return bool(_JAPANESE.fullmatch(bare)) and not _TOO_LITTLE.fullmatch(bare)

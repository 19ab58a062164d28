"""What does a customer who writes want: to ask, to buy, to complain, or nothing in particular?

Words alone, in Japanese and English: the fallback where no model answers, and a floor under what it says.
A complaint in plain words stays one whatever a model thinks of it.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum


class Intent(StrEnum):
    """`other`: thanks, a greeting, a remark. `wish`: to talk with a person."""

    QUESTION = "question"
    INTEREST = "interest"
    COMPLAINT = "complaint"
    WISH = "wish"
    OTHER = "other"


_COMPLAINT = re.compile(
    r"ひどい|酷い|最悪|最低|ふざけ|いい加減にし|許せな|腹が立|怒って|苦情|クレーム|不満|詐欺|訴え(?:る|ます|たい)|消費者センター"
    r"|がっかり|話になら|対応が悪|遅すぎ|いつまで待|何度も(?:言|連絡|問)|返金し(?:ろ|て)|金(?:を)?返せ|返事が(?:ない|来ない|こない)"
    r"|迷惑して|困り果て|信じられな|使い物にならな|二度と|壊れて(?:いた|た)|不良品"
    r"|\b(?:terrible|awful|horrible|worst|angry|furious|unacceptable|disappoint(?:ed|ing)|ridiculous|scam|rip-?off"
    r"|complain(?:t|ing)?|useless|fed up|lawyer|sue you|money back|still waiting|nobody (?:answers|replies)"
    r"|no one (?:answers|replies)|waste of (?:time|money))\b",
    re.IGNORECASE,
)
_WISH = re.compile(
    r"(?:担当(?:者|の方)?|人間|人|オペレーター|スタッフ|係の方|店員)(?:さん)?(?:と|に|へ)(?:直接)?(?:お?話|つな|繋|相談|代わ|変わ|替わ|お願い)"
    r"|(?:電話|通話)(?:が|を|で)?(?:ほし|欲し|話し|ください|下さい|したい|もらえ|いただけ)|オペレーター(?:お願い|希望)|有人"
    r"|\b(?:talk|speak|chat) (?:to|with) (?:a |an |some)?"
    r"(?:human|person|agent|one|operator|representative|staff)"
    r"|\b(?:real|actual) (?:person|human)\b|\bcall me\b|\bhuman,? please\b",
    re.IGNORECASE,
)
_INTEREST = re.compile(
    r"(?:料金|値段|価格|費用|いくら|見積|お?見積もり?)|導入(?:し|を|した|の相談|検討)|契約(?:したい|を検討|希望|プラン)"
    r"|プラン(?:を|に|の)?(?:変更|追加|アップ|検討|相談|違い)|上位プラン|アップグレード|デモ|商談|購入(?:したい|を検討|希望|でき)"
    r"|買いたい|申し?込み?(?:たい|ます|を希望)|検討して(?:い|ま)|興味が(?:あ|出)|トライアル|人数を(?:増|追加)|席を(?:増|追加)"
    r"|\b(?:pric(?:e|es|ing)|quote|how much|cost|demo|upgrade|buy|purchase|subscribe|sign up for|trial"
    r"|interested in|sales|add (?:more )?(?:seats|users)|enterprise plan|annual plan)\b",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"[?？]|(?:です|ます|でしょう|ません|した|られる|できる|ある|ない|いい|なの)か(?:[。、!！]|$)|教えて|知りたい|使い方|やり方|方法|手順"
    r"|仕方|わから|分から|わかん|できません|できない|出来ない|出来ません|うまくいか|動かな|エラー|忘れ(?:た|まし|て)|どう(?:す|や|し|なっ)|どこ"
    r"|いつ(?:まで|から|に|頃|ごろ|です)|なぜ|どうして|何時|何日|困って|困りま|ヘルプ|助けて|見つから|届か(?:な|ず)|変更したい"
    r"|\b(?:how|what|where|when|why|which|who|can i|can you|could you|do you|does it|is there|is it"
    r"|are there|help|unable to|can'?t|cannot|doesn'?t work|not working|error|forgot|problem|trouble)\b",
    re.IGNORECASE,
)
_PLEASANTRY = re.compile(
    r"(?:(?:どうも|本当に|ほんとに|大変|とても|早速|早速の|ご|お)*"
    r"(?:ありがとう(?:ございま(?:す|した))?|有難うございま(?:す|した)|有り難うございま(?:す|した)|あざす|サンクス|助かりま(?:す|した)"
    r"|了解(?:です|しました|いたしました)?|りょうかい(?:です)?|り|承知(?:しました|いたしました|です)|わかりました|分かりました|解決しました"
    r"|できました|出来ました|大丈夫です|大丈夫でした|はい|うん|いえいえ|オッケー(?:です)?|おけ|ok(?:です|ay)?|よろしくお願い(?:します|いたします|致します)"
    r"|よろしく(?:です)?|お世話になります|お疲れ様です|嬉しいです|良かったです|よかったです|なるほど(?:です)?|そうですか|すみませんでした"
    r"|こんにちは|こんばんは|おはよう(?:ございます)?|はじめまして|やあ|(?:笑|w|草)+"
    r"|thanks?(?: you)?(?: (?:so|very) much| a lot)?|thx|ty|got it|i see|great"
    r"|perfect|nice|cool|sounds good|no problem|hi|hello|hey|good (?:morning|afternoon|evening)|yes|ok(?:ay)?"
    r"|it works?(?: now)?|that works"
    r"|solved|understood)"
    r"[、。,.!！\s〜~ー^)(*笑w]*)+",
    re.IGNORECASE,
)
_EMOJI = re.compile(r"[\U0001F000-\U0001FAFF\u2600-\u27BF\uFE0F\u200D\u2190-\u21FF\u3030\u303D]")
_LONGEST_PLEASANTRY = 60


def intent_of(text: str) -> Intent:
    """What the words say; `question` where they say nothing known but are more than thanks or a greeting.

    Complaints come first, then the wish for a person, interest, questions.
    """
    plain = _plain(text)
    if _COMPLAINT.search(plain):
        return Intent.COMPLAINT
    if is_pleasantry(text):
        return Intent.OTHER
    if _WISH.search(plain):
        return Intent.WISH
    if _INTEREST.search(plain):
        return Intent.INTEREST
    if _QUESTION.search(plain):
        return Intent.QUESTION
    return Intent.OTHER


def is_pleasantry(text: str) -> bool:
    """Only thanks, a greeting, a nod, emoji: nothing that wants an answer."""
    plain = _EMOJI.sub("", _plain(text)).strip(" 　。、.,!！〜~ー")
    if not plain:
        return True
    return len(plain) <= _LONGEST_PLEASANTRY and _PLEASANTRY.fullmatch(plain) is not None


def settled(words: Intent, model: Intent | None) -> Intent:
    """The words' and the model's reading: either may see a complaint or a wish; else the model."""
    for either in (Intent.COMPLAINT, Intent.WISH):
        if words is either or model is either:
            return either
    if model is None or (model is Intent.OTHER and words is not Intent.OTHER):
        return words
    return model


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()

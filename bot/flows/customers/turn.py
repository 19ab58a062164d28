"""What does every story of an inbound LINE event get handed, and how does it answer?"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.line.bubbles import Press, press_bubble
from bot.line.inbound import Inbound
from db.people.customers import LineUser, LinkCode
from db.people.linking import LinkNonce
from db.rulebook.rules import RuleBook
from db.talk.messages import Message, MessageKind, MessageState, promise
from prompts.texts import fill, system_text

ANSWER_WITHIN = timedelta(hours=1)
"""Later than this after the event, only what must be said is said (consent, opt-out, linking)."""


@dataclass(slots=True, kw_only=True)
class Turn:
    """One event of one LINE user, inside the transaction that makes it take effect.

    Attributes:
        customer_id: who they are now; locked.
        book: rules and policy as this transaction sees them.
        code: the link code in what they wrote; its customer is locked too.
        nonce: the same of LINE's account-link dialog.
        wakes: the stories that have work after the commit.
    """

    deps: Deps
    session: AsyncSession
    event: Inbound
    line_user: LineUser
    language: str
    book: RuleBook
    now: datetime
    code: LinkCode | None = None
    nonce: LinkNonce | None = None
    wakes: set[str] = field(default_factory=set)
    _has_answered: bool = False

    @property
    def customer_id(self) -> UUID:
        """The customer whom this LINE user is."""
        return self.line_user.customer_id

    @property
    def line_user_id(self) -> str:
        """LINE's id of them."""
        return self.line_user.line_user_id

    @property
    def is_late(self) -> bool:
        """Too long ago for small talk."""
        return self.now - self.event.at > ANSWER_WITHIN

    def purposes(self) -> set[str]:
        """Every purpose we may write for."""
        templates = (message.purpose for rule in self.book.by_id.values() for message in rule.messages)
        return {self.book.policy.default_purpose, *(purpose for purpose in templates if purpose)}

    def take_token(self) -> str | None:
        """The reply token, for one message: a second answer to the same event is a push."""
        token = None if self._has_answered else self.event.reply_token
        self._has_answered = True
        return token

    async def answer(
        self, name: str, *, kind: MessageKind = MessageKind.SYSTEM, key: str | None = None, **values: str
    ) -> None:
        """Promise one of the program's own texts, once per event; free of charge where it goes out in time.

        Args:
            name: of the text in `prompts/messages/`.
            key: what makes it unique, where that is not the event.
            values: for the text's placeholders.
        """
        if self.event.is_standby:
            return  # another module holds the chat
        text = system_text(name)
        words = text.say(self.language, **values)
        presses = [
            Press(
                label=button.label.in_language(self.language),
                sends=fill(button.sends, values),
            )
            for button in text.buttons
        ]
        choices = [
            Press(label=each.label.in_language(self.language), sends=each.sends, picks=each.picks)
            for each in text.choices
        ]
        token = self.take_token()
        await promise(
            self.session,
            Message(
                customer_id=self.customer_id,
                message_id=self.deps.ids.uuid(),
                kind=kind,
                state=MessageState.QUEUED,
                dedupe_key=f"{name}:{key or self.event.event_id}",
                line_user_id=self.line_user_id,
                template=f"system/{name}",
                bubbles=[press_bubble(words, presses, choices, sender=self.book.policy.senders.bot)],
                plain_text=words,
                text_hash=text.wording_of(self.language),
                reply_token=token,
                reply_token_until=self.event.reply_until if token else None,
                promised_at=self.now,
                not_before=self.now,
            ),
        )
        self.wakes.add("deliver")

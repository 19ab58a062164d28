"""Is only what LINE signed taken for LINE's?"""

from __future__ import annotations

import pytest

from bot.line.signature import is_signed, secrets_of, signature_of

SECRET = "8c570fa6dd201bb328f1c1eac23a96d8"
BODY = b'{"destination":"U8e742f61d673b39c7fff3cecb7536ef0","events":[]}'
SIGNATURE = "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLs="


def test_the_published_example_is_right() -> None:
    assert signature_of(SECRET, BODY) == SIGNATURE
    assert is_signed(SECRET, BODY, SIGNATURE)
    assert is_signed(SECRET, BODY, SIGNATURE.encode())


def test_any_changed_byte_of_the_body_is_noticed() -> None:
    for index in range(len(BODY)):
        changed = BODY[:index] + bytes([BODY[index] ^ 1]) + BODY[index + 1 :]
        assert not is_signed(SECRET, changed, SIGNATURE)


def test_any_changed_character_of_the_signature_is_noticed() -> None:
    for index in range(len(SIGNATURE) - 2):  # the last two carry padding
        other = "A" if SIGNATURE[index] != "A" else "B"
        assert not is_signed(SECRET, BODY, SIGNATURE[:index] + other + SIGNATURE[index + 1 :])


@pytest.mark.parametrize(
    "signature",
    [None, "", b"", "あ", "\ud800", "=", "!" * 44, SIGNATURE * 2, SIGNATURE[:-4], " " + SIGNATURE],
)
def test_garbage_is_not_a_signature(signature: str | bytes | None) -> None:
    assert not is_signed(SECRET, BODY, signature)


def test_another_channel_s_secret_does_not_do() -> None:
    assert not is_signed("another", BODY, SIGNATURE)


@pytest.mark.parametrize(
    ("setting", "secrets"), [("", ()), ("a", ("a",)), ("new,old", ("new", "old")), (" a , ,b,", ("a", "b"))]
)
def test_two_secrets_hold_while_one_takes_over(setting: str, secrets: tuple[str, ...]) -> None:
    assert secrets_of(setting) == secrets

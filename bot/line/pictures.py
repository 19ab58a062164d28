"""May this picture go out on LINE, and what is its small version?"""

from __future__ import annotations

import io
import warnings

from PIL import Image, ImageOps, UnidentifiedImageError

ORIGINAL_MOST = 10 * 1024 * 1024
PREVIEW_MOST = 1024 * 1024
"""LINE's limits of an image message's two pictures, JPEG or PNG (Image message)."""
PREVIEW_SIDE = 1024
MOST_PIXELS = 60_000_000
"""More is no photograph; unpacking it would only cost memory."""
TYPES = {"JPEG": "image/jpeg", "PNG": "image/png"}


def type_of(content: bytes) -> str | None:
    """`image/jpeg` or `image/png` by what the bytes are, not by their name; None: no picture LINE takes."""
    if len(content) > ORIGINAL_MOST:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=tuple(TYPES)) as picture:
                pixels = picture.width * picture.height
                return TYPES.get(picture.format or "") if 0 < pixels <= MOST_PIXELS else None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def preview_of(content: bytes) -> bytes | None:
    """A JPEG of at most 1 MB, upright; the picture itself where it is small; None: it cannot be unpacked."""
    if len(content) <= PREVIEW_MOST:
        return content
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=tuple(TYPES)) as picture:
                small = ImageOps.exif_transpose(picture).convert("RGB")
                small.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
                written = io.BytesIO()
                small.save(written, "JPEG", quality=80)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    return written.getvalue() if written.tell() <= PREVIEW_MOST else None

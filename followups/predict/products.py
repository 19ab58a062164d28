"""What will a customer buy next: the same again, what sells now, or what goes with what they have?

Three ways to name products, each judged on the own past: what was bought before a cut names them, what was
bought after it says who was right (share of customers for whom one of the three named was bought). Which
way is used is what won there. Similarity of two products is the cosine of who bought them, damped by
`SHRINKAGE` where few did (Sarwar et al., Item-based collaborative filtering, WWW 2001).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from scipy.sparse import csr_matrix

Bought = Sequence[tuple[datetime, str]]
"""What one customer bought, and when; any order."""

AGAIN, POPULAR, SIMILAR = "again", "popular", "similar"
NAMED = 3
POPULAR_FOR = timedelta(days=60)
SHRINKAGE = 10.0
FEWEST_JUDGED = 50
"""Below so many customers with something bought after the cut, nothing but the plain ways is used."""
MAX_PRODUCTS = 5000
"""Only the most bought are compared with each other: the table of pairs grows with its square."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductModel:
    """What products can be named from.

    Attributes:
        popular: by segment, and `""` for everybody: the most bought of late, the first most.
        similar: by product: the others that the same customers bought, the most alike first.
        hits: by way: the share of customers for whom it was right after the cut; empty: too few to tell.
    """

    popular: Mapping[str, tuple[str, ...]]
    similar: Mapping[str, tuple[tuple[str, float], ...]]
    hits: Mapping[str, float]

    @property
    def ways(self) -> tuple[str, ...]:
        """In the order in which they are asked: the best on the own past first."""
        if not self.hits:
            return AGAIN, POPULAR
        ranked = sorted(self.hits, key=lambda way: (-self.hits[way], way))
        best_plain = max(self.hits[AGAIN], self.hits[POPULAR])
        return tuple(way for way in ranked if way != SIMILAR or self.hits[way] > best_plain)


def most_again(bought: Bought) -> list[str]:
    """What the customer bought most often; of the same number, what they bought last."""
    counts = Counter(item for _, item in bought)
    last = {item: at for at, item in sorted(bought)}
    return sorted(counts, key=lambda item: (-counts[item], -last[item].timestamp(), item))


def _most_popular(pasts: Iterable[Bought], *, now: datetime) -> tuple[str, ...]:
    counts = Counter(
        item for bought in pasts for item in {item for at, item in bought if now - POPULAR_FOR < at <= now}
    )
    return tuple(sorted(counts, key=lambda item: (-counts[item], item))[:50])


def _similar(pasts: Sequence[Bought]) -> dict[str, tuple[tuple[str, float], ...]]:
    owners = Counter(item for bought in pasts for item in {item for _, item in bought})
    items = sorted(owners, key=lambda item: (-owners[item], item))[:MAX_PRODUCTS]
    number = {item: index for index, item in enumerate(items)}
    pairs = [
        (row, number[item])
        for row, bought in enumerate(pasts)
        for item in {i for _, i in bought}
        if item in number
    ]
    if not pairs:
        return {}
    rows, columns = zip(*pairs, strict=True)
    table = csr_matrix((np.ones(len(pairs)), (rows, columns)), shape=(len(pasts), len(items)))
    both = (table.T @ table).tocsr()
    sizes = np.asarray([owners[item] for item in items], dtype=np.float64)
    found: dict[str, tuple[tuple[str, float], ...]] = {}
    for index, item in enumerate(items):
        begin, end = both.indptr[index], both.indptr[index + 1]
        others, together = both.indices[begin:end], both.data[begin:end]
        alike = together / (np.sqrt(sizes[index] * sizes[others])) * together / (together + SHRINKAGE)
        best = [int(each) for each in np.argsort(-alike, kind="stable")[:21] if others[each] != index]
        found[item] = tuple((items[others[each]], float(alike[each])) for each in best)
    return found


def named(bought: Bought, way: str, model: ProductModel, *, segment: str = "") -> list[str]:
    """The products that one way names for a customer, the first most likely; at most `NAMED`."""
    match way:
        case "again":
            return most_again(bought)[:NAMED]
        case "popular":
            return list(model.popular.get(segment) or model.popular.get("", ()))[:NAMED]
        case _:
            own = {item for _, item in bought}
            scores: Counter[str] = Counter()
            for item in own:
                for other, alike in model.similar.get(item, ()):
                    if other not in own:
                        scores[other] += alike  # type: ignore[assignment]
            return [item for item, _ in sorted(scores.items(), key=lambda each: (-each[1], each[0]))[:NAMED]]


def next_products(
    bought: Bought, model: ProductModel, *, segment: str = "", leave_out: frozenset[str] = frozenset()
) -> list[tuple[str, str]]:
    """(product, way) for a customer, at most `NAMED`, asking the ways that won on the own past in order.

    Args:
        leave_out: what must not be named (in the cart, just returned, not sold any more).
    """
    found: dict[str, str] = {}
    for way in model.ways:
        for item in named(bought, way, model, segment=segment):
            if item not in leave_out:
                found.setdefault(item, way)
    return list(found.items())[:NAMED]


def learn_products(
    pasts: Mapping[object, Bought],
    *,
    segments: Mapping[object, str] | None = None,
    cut: datetime,
    now: datetime,
) -> ProductModel:
    """Learn from what everybody bought up to `now`, and judge each way by what was bought after `cut`."""
    before = {of: [each for each in bought if each[0] <= cut] for of, bought in pasts.items()}
    trial = _model(before, None, now=cut, hits={})
    judged = [of for of, bought in pasts.items() if before[of] and any(cut < at <= now for at, _ in bought)]
    hits = {}
    if len(judged) >= FEWEST_JUDGED:
        after = {of: {item for at, item in pasts[of] if cut < at <= now} for of in judged}
        hits = {
            way: sum(bool(after[of] & set(named(before[of], way, trial))) for of in judged) / len(judged)
            for way in (AGAIN, POPULAR, SIMILAR)
        }
    return _model(pasts, segments, now=now, hits=hits)


def _model(
    pasts: Mapping[object, Bought],
    segments: Mapping[object, str] | None,
    *,
    now: datetime,
    hits: Mapping[str, float],
) -> ProductModel:
    by_segment: dict[str, list[Bought]] = {"": list(pasts.values())}
    for of, segment in (segments or {}).items():
        by_segment.setdefault(segment, []).append(pasts.get(of, ()))
    return ProductModel(
        popular={segment: _most_popular(each, now=now) for segment, each in by_segment.items()},
        similar=_similar(by_segment[""]),
        hits=hits,
    )

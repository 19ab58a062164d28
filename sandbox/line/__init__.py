"""A loopback LINE: what is the Messaging API like when people and platform are in your own hands?"""

from sandbox.exchange import Exchange, Faults
from sandbox.line.people import Bubble, OpenedLink, Person
from sandbox.line.standin import LineStandIn, Tapped
from sandbox.line.webhooks import Delivery, signature

__all__ = [
    "Bubble",
    "Delivery",
    "Exchange",
    "Faults",
    "LineStandIn",
    "OpenedLink",
    "Person",
    "Tapped",
    "signature",
]

"""A loopback OpenAI-compatible server: what would a model answer, and how does it fail?"""

from sandbox.openai.standin import Failed, Garbage, Hang, OpenAIStandIn, Refusal, Status, Truncated
from sandbox.openai.writer import write

__all__ = ["Failed", "Garbage", "Hang", "OpenAIStandIn", "Refusal", "Status", "Truncated", "write"]

"""Would Slack accept these blocks, this message, this view?

Pure and strict: plain mappings in, a list of `Problem` out, empty when Slack would accept. It checks what
Slack checks on arrival (Block Kit reference at docs.slack.dev, manifest of limits below each schema) and
refuses what Slack only ignores: unknown keys and nulls. Where Slack's own sources disagree (option values,
charts, container children), the narrower limit is used, so what passes here passes there.
"""

from bot.slack.limits.messages import validate_blocks, validate_message
from bot.slack.limits.views import validate_view
from bot.slack.limits.walk import Problem, Surface

__all__ = ["Problem", "Surface", "validate_blocks", "validate_message", "validate_view"]

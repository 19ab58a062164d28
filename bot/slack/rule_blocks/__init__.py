"""How do rules show themselves in Slack: rows with buttons, forms, questions, forecasts, reasons? Pure."""

from bot.slack.rule_blocks.rows import PauseShown, RuleShown, pause_row, rule_row, rules_list

__all__ = ["PauseShown", "RuleShown", "pause_row", "rule_row", "rules_list"]

"""How support leads steer rules from Slack: list, switch, edit, approve, preview, try, explain."""

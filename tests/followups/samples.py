"""What do sound files look like, to be broken in tests?"""

from __future__ import annotations

import pytest

from followups.rules.model import MessageTemplate
from followups.rules.parsing import RuleError, parse_rule

MESSAGES = {"inactive-checkin": MessageTemplate(name="inactive-checkin", text={"ja": "こんにちは。"})}

RULE = """\
id: inactive-14d
name: しばらくご利用のない方へ
goal: {event: login, within: 7d}
when:
  all:
    - event: login
      last: {more_than: 14d}
    - attribute: plan
      in: [trial, standard]
priority: 50
again_after: 90d
holdout: 10%
approval: auto
during_conversation: hold
then:
  - send: inactive-checkin
"""


MESSAGE = """\
purpose: support
text:
  ja: "{customer.name}様、手が止まっている所はありませんか。"
  en: "Hi {customer.name}, is anything holding you up?"
button: {label: 続きから始める, url: "https://app.example.com/start"}
quick_replies:
  - {label: 困っている, signal: needs_help, lead: true}
  - {label: {ja: お知らせを停止, en: Stop}, signal: optout}
"""


POLICY = """\
timezone: Asia/Tokyo
quiet_hours: {from: "20:00", to: "09:00"}
business_hours: {days: [mon, tue, wed, thu, fri], from: "10:00", to: "18:00", holidays: JP}
caps: {per_day: 1, per_7_days: 2, per_30_days: 4}
silence_after_unanswered: {messages: 2, for: 60d}
quota: {reserve_for_people: 20%}
holdout: 10%
canary: {size: 10, for: 30m}
approval_above: 50
undo_seconds: 15
sla: {claim: 15m, escalate: 30m}
link_hosts: []
"""


TESTS = """\
tests:
  - name: 16日
    customer: {attributes: {plan: trial}}
    events: {login: -16d}
    moments:
      - {at: 0d, expect: send, message: inactive-checkin}
      - {at: -10d, expect: not_due, because: 6日前}
  - name: 別のプラン
    customer: {attributes: {plan: free}}
    events: {login: -16d}
    moments: [{at: 0d, expect: not_due}]
"""
FOLDER = {
    "inactive-14d.yaml": RULE,
    "inactive-14d.test.yaml": TESTS,
    "messages/inactive-checkin.yaml": MESSAGE,
    "policy.yaml": "anything: goes",
    "README.md": "# not ours",
}


def parsed(text):
    return parse_rule(text, path="r.yaml", messages=MESSAGES)


def complaints(read, *args, **options):
    with pytest.raises(RuleError) as caught:
        read(*args, **options)
    return [str(problem) for problem in caught.value.problems]

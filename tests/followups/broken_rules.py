"""Which mistakes can one make in a rule, and what is then said?"""

from __future__ import annotations

# what is changed in RULE: (from, to, every complaint)
WRONG = {
    "unknown key": ("priority:", "priorty:", ["10:1: unknown key “priorty” (did you mean “priority”?)"]),
    "duration in words": (
        "more_than: 14d",
        "more_than: fourteen",
        ["7:25: “fourteen” is not a duration (for example 90m, 4h, 3d, 2w)"],
    ),
    "duration without unit": (
        "more_than: 14d",
        "more_than: 14",
        ["7:25: “14” is not a duration (for example 90m, 4h, 3d, 2w)"],
    ),
    "zero duration": (
        "more_than: 14d",
        "more_than: 0d",
        ["7:25: “0d” is not a duration (for example 90m, 4h, 3d, 2w)"],
    ),
    "endless duration": (
        "more_than: 14d",
        "more_than: 9999999w",
        ["7:25: “9999999w” is not a duration (for example 90m, 4h, 3d, 2w)"],
    ),
    "unknown bound": (
        "more_than",
        "morethan",
        ["7:14: unknown key “morethan” (did you mean “more_than”?)"],
    ),
    "unknown message": (
        "send: inactive-checkin",
        "send: inactive-chekin",
        ["16:11: unknown message “inactive-chekin” (did you mean “inactive-checkin”?)"],
    ),
    "unknown condition": (
        "- attribute: plan",
        "- atribute: plan",
        ["8:7: unknown condition “atribute” (did you mean “attribute”?)"],
    ),
    "priority too high": ("50", "500", ["10:11: “500” is not a whole number from 0 to 100"]),
    "priority in words": ("50", "high", ["10:11: “high” is not a whole number from 0 to 100"]),
    "priority is no truth": ("50", "true", ["10:11: “true” is not a whole number from 0 to 100"]),
    "percentage": ("10%", "0.1", ["12:10: “0.1” is not a percentage (for example 10%)"]),
    "more than all": ("10%", "110%", ["12:10: “110%” is not a percentage (for example 10%)"]),
    "review": (
        "approval: auto",
        "approval: reviewed",
        ["13:11: unknown approval “reviewed” (did you mean “review”?)"],
    ),
    "unknown approval": (
        "approval: auto",
        "approval: autom",
        ["13:11: unknown approval “autom” (did you mean “auto”?)"],
    ),
    "during": (
        "conversation: hold",
        "conversation: holt",
        ["14:22: unknown way during a conversation “holt” (did you mean “hold”?)"],
    ),
    "canary": (
        "priority: 50",
        "state: canari",
        ["10:8: unknown state “canari” (did you mean “canary”?)"],
    ),
    "no id": ("id: inactive-14d\n", "", ["1:1: “id” is missing (add it)"]),
    "odd id": (
        "id: inactive-14d",
        "id: Inactive 14d",
        [
            "1:5: “Inactive 14d” is not an id (lower-case letters, digits and hyphens, up to 64; "
            "for example inactive-14d)"
        ],
    ),
    "goal without window": (
        ", within: 7d}",
        "}",
        ["3:7: “within” is missing (add it)"],
    ),
    "goal is a word": (
        "{event: login, within: 7d}",
        "login",
        ["3:7: “login” is not a mapping of keys to values"],
    ),
    "empty list": ("in: [trial, standard]", "in: []", ["9:11: the list is empty (write at least one)"]),
    "no list": (
        "in: [trial, standard]",
        "in: trial",
        ["9:11: “trial” is not a list (for example [a, b])"],
    ),
    "nothing asked": (
        "      in: [trial, standard]\n",
        "",
        [
            "8:7: “attribute” says nothing about it (add one of equals | in | not_in | at_least | at_most | "
            "exists | within | passed | anniversary)"
        ],
    ),
    "two operators": (
        "in: [trial, standard]",
        "in: [trial]\n      equals: trial",
        ["10:7: “in” and “equals” cannot stand together (split them under all:)"],
    ),
    "two conditions in one": (
        "      in: [trial, standard]",
        "      event: login",
        ["9:7: “attribute” and “event” in one condition (split them under all:)"],
    ),
    "event without question": (
        "      last: {more_than: 14d}\n",
        "",
        ["6:7: “event” says nothing about it (add one of last | first | count | never | trend)"],
    ),
    "list without a group": (
        "  all:\n    - event: login\n      last: {more_than: 14d}\n    - attribute: plan\n"
        "      in: [trial, standard]",
        "  - event: login\n    never: true",
        ["5:3: a list of conditions (put it under all: or any:)"],
    ),
    "never holds": (
        "{more_than: 14d}",
        "{more_than: 14d, less_than: 3d}",
        ["7:30: never holds (make less_than longer than more_than)"],
    ),
    "count of nothing": (
        "last: {more_than: 14d}",
        "count: {within: 3d}",
        ["7:14: nothing is asked (add one of at_least | at_most | fewer_than)"],
    ),
    "count too deep": (
        "last: {more_than: 14d}",
        "count: {at_least: 201, within: 3d}",
        ["7:25: “201” is not a whole number from 1 to 200"],
    ),
    "where": (
        "last: {more_than: 14d}",
        "where: {a: b}",
        ["6:7: “event” says nothing about it (add one of last | first | count | never | trend)"],
    ),
    "segment": (
        "- attribute: plan\n      in: [trial, standard]",
        "- segment: champion",
        ["8:16: unknown segment “champion” (did you mean “champions”?)"],
    ),
    "clicked": (
        "- attribute: plan\n      in: [trial, standard]",
        "- {clicked: x}",
        ["8:17: unknown message “x” (known: inactive-checkin)"],
    ),
    "wait": (
        "- send: inactive-checkin",
        "- wait: {for: 3d}",
        ["16:5: the last step is a wait (write what comes after it, or leave it out)"],
    ),
    "wait for nothing": (
        "- send: inactive-checkin",
        "- wait: {until: {replied: true}}\n  - send: inactive-checkin",
        ["16:11: “for” is missing (add it)"],
    ),
    "wait until an unknown condition": (
        "- send: inactive-checkin",
        "- wait: {for: 3d, until: {relied: true}}\n  - send: inactive-checkin",
        ["16:29: unknown condition “relied” (did you mean “replied”?)"],
    ),
    "wait at no time of day": (
        "- send: inactive-checkin",
        "- wait: {for: 1d, at: morning}\n  - send: inactive-checkin",
        ['16:25: “morning” is not a time of day (for example "20:00")'],
    ),
    "waits longer than the goal's window": (
        "- send: inactive-checkin",
        '- wait: 4d\n  - wait: {for: 3d, at: "10:00"}\n  - send: inactive-checkin',
        ["3:7: the steps wait up to 8 days, not less than the goal's window (make within longer)"],
    ),
    "if": (
        "- send: inactive-checkin",
        "- if: {repled: true}\n    then: [{sned: x}]",
        [
            "16:10: unknown condition “repled” (did you mean “replied”?)",
            "17:13: unknown key “sned” (did you mean “send”?)",
        ],
    ),
    "if without then": (
        "- send: inactive-checkin",
        "- if: {replied: true}\n    els: [{send: inactive-checkin}]",
        ["16:5: “then” is missing (add it)", "17:5: unknown key “els” (did you mean “else”?)"],
    ),
    "nested too deep": (
        "- send: inactive-checkin",
        "- " + "{if: {replied: true}, then: [" * 4 + "{send: inactive-checkin}" + "]}" * 4,
        ["16:92: if is nested more than 3 deep (split the rule)"],
    ),
    "one variant": (
        "send: inactive-checkin",
        "send: {variants: {a: x}}",
        ["16:12: variants compare 2 to 5 messages (for example variants: {a: one, b: two})"],
    ),
    "variant that is not there": (
        "send: inactive-checkin",
        "variants: {a: inactive-checkin, b: inactive-chekin}",
        ["16:40: unknown message “inactive-chekin” (did you mean “inactive-checkin”?)"],
    ),
    "variants of two names": (
        "- send: inactive-checkin",
        "- variants: {a: inactive-checkin, b: inactive-checkin}\n"
        "  - variants: {a: inactive-checkin, c: inactive-checkin}",
        ["17:5: every variants of a rule has the same names (an earlier step has a, b)"],
    ),
    "unknown step": (
        "- send: inactive-checkin",
        "- sned: inactive-checkin",
        ["16:5: unknown key “sned” (did you mean “send”?)"],
    ),
    "escalation without reason": (
        "send: inactive-checkin",
        "escalate: {}",
        ["16:15: “reason” is missing (add it)"],
    ),
    "event name of ours": (
        "event: login\n",
        "event: login#3\n",
        ["6:14: “login#3” is not a name (no # or ~, no @ first)"],
    ),
    "text with a trick": (
        "send: inactive-checkin",
        'send: {text: "{x.__class__}"}',
        ["16:18: “{x.__class__}” is not a placeholder (for example {customer.name})"],
    ),
    "text with a slip": (
        "send: inactive-checkin",
        'send: {text: "{customer name}様、はい。"}',
        ["16:18: “{customer name}” is not a placeholder (did you mean “{customer.name}”?)"],
    ),
    "link without https": (
        "send: inactive-checkin",
        'send: {text: はい。, button: {label: x, url: "http://a.example/"}}',
        ["16:47: “http://a.example/” is not an https address (for example https://app.example.com/start)"],
    ),
    "stalled, incomplete": (
        "- attribute: plan\n      in: [trial, standard]",
        "- stalled: {since: {event: a}, for: 3d}",
        ["8:16: “without” is missing (add it)"],
    ),
    "stalled, where": (
        "- attribute: plan\n      in: [trial, standard]",
        "- stalled: {since: {event: a, where: {}}, without: {event: b}, for: 3d}",
        ["8:42: where is empty (for example {plan: pro}; or leave it out)"],
    ),
    "stalled in words": (
        "- attribute: plan\n      in: [trial, standard]",
        "- stalled: often",
        [
            "8:16: “often” is not a mapping of keys to values (for example {since: {event: signup}, "
            "without: {event: data_connected}, for: 3d})"
        ],
    ),
    "used, nothing asked": (
        "- attribute: plan\n      in: [trial, standard]",
        "- used: {of: [a, b]}",
        ["8:13: nothing is asked (add one of fewer_than | at_least)"],
    ),
    "used, too many": (
        "- attribute: plan\n      in: [trial, standard]",
        "- used: {fewer_than: 3, of: [a, b]}",
        ["8:26: “3” is not a whole number from 1 to 2"],
    ),
    "used, twice the same": (
        "- attribute: plan\n      in: [trial, standard]",
        "- used: {fewer_than: 1, of: [a, a]}",
        ["8:37: “a” is there twice (remove one)"],
    ),
    "used, never holds": (
        "- attribute: plan\n      in: [trial, standard]",
        "- used: {fewer_than: 1, at_least: 1, of: [a, b]}",
        ["8:29: never holds (make at_least smaller than fewer_than)"],
    ),
    "linked in words": (
        "- attribute: plan\n      in: [trial, standard]",
        "- line: {linked: maybe}",
        ["8:22: “maybe” is not true or false"],
    ),
    "line, unknown": (
        "- attribute: plan\n      in: [trial, standard]",
        "- line: {friend: true}",
        ["8:13: “linked” is missing (add it)", "8:14: unknown key “friend” (known: linked)"],
    ),
    "line in words": (
        "- attribute: plan\n      in: [trial, standard]",
        "- line: linked",
        ["8:13: “linked” is not a mapping of keys to values"],
    ),
    "no anniversary": (
        "- attribute: plan\n      in: [trial, standard]",
        "- attribute: d\n      anniversary: false",
        ["9:7: anniversary can only be true (leave it out)"],
    ),
    "a list as a value": (
        "- attribute: plan\n      in: [trial, standard]",
        "- attribute: d\n      equals: [a]",
        ["9:15: “[...]” is not a value (write text or a number)"],
    ),
    "a number in words": (
        "- attribute: plan\n      in: [trial, standard]",
        "- attribute: d\n      at_least: many",
        ["9:17: “many” is not a number (for example 14)"],
    ),
    "never in words": (
        "- attribute: plan\n      in: [trial, standard]",
        "- event: a\n      never: maybe",
        ["9:14: “maybe” is not true or false"],
    ),
    "both upper bounds": (
        "- attribute: plan\n      in: [trial, standard]",
        "- event: a\n      count: {at_most: 2, fewer_than: 3}",
        ["9:27: at_most and fewer_than cannot stand together (keep one)"],
    ),
    "count, never holds": (
        "- attribute: plan\n      in: [trial, standard]",
        "- event: a\n      count: {at_least: 3, at_most: 2}",
        ["9:15: never holds (at_least is above the upper bound; make it smaller)"],
    ),
    "last, nothing asked": (
        "- attribute: plan\n      in: [trial, standard]",
        "- event: a\n      last: {}",
        ["9:13: nothing is asked (add one of more_than | less_than)"],
    ),
    "empty group": (
        "- attribute: plan\n      in: [trial, standard]",
        "- any: []",
        ["8:12: the list is empty (write at least one)"],
    ),
    "an empty condition": (
        "- attribute: plan\n      in: [trial, standard]",
        "- {}",
        ["8:7: the condition is empty (for example event: login)"],
    ),
    "a word as a condition": (
        "- attribute: plan\n      in: [trial, standard]",
        "- dormant",
        ["8:7: “dormant” is not a mapping of keys to values"],
    ),
    "a space in front of a name": (
        "- attribute: plan\n      in: [trial, standard]",
        '- event: " a"\n      never: true',
        ["8:14: “ a” is not a name (up to 100 characters, no line breaks or spaces around it)"],
    ),
    "send and escalate": (
        "- send: inactive-checkin",
        "- {send: inactive-checkin, escalate: {reason: x}}",
        ["16:30: send and escalate in one step (make two steps of it)"],
    ),
    "an empty step": (
        "- send: inactive-checkin",
        "- {}",
        ["16:5: the step is empty (write send or escalate)"],
    ),
    "a word as a step": (
        "- send: inactive-checkin",
        "- send",
        ["16:5: “send” is not a mapping of keys to values"],
    ),
    "send a list": (
        "- send: inactive-checkin",
        "- send: [a]",
        [
            "16:11: “[...]” is not a message's name (or a mapping of purpose, text, button, quick_replies, "
            "image, coupon)"
        ],
    ),
    "send nothing": (
        "- send: inactive-checkin",
        "- send:",
        ["16:5: “” is not text (write some text)"],
    ),
    "escalate in words": (
        "- send: inactive-checkin",
        "- escalate: now",
        ["16:15: “now” is not a mapping of keys to values"],
    ),
    "a long reason": (
        "- send: inactive-checkin",
        "- escalate: {reason: " + "x" * 301 + "}",
        ["16:24: over 300 characters (make it shorter)"],
    ),
    "several at once": (
        "priority: 50\nagain_after: 90d",
        "priority: x\nagain_after: soon\nfoo: bar",
        [
            "10:11: “x” is not a whole number from 0 to 100",
            "11:14: “soon” is not a duration (for example 90m, 4h, 3d, 2w)",
            "12:1: unknown key “foo” (known: id, name, goal, when, priority, again_after, holdout, approval, "
            "during_conversation, state, then)",
        ],
    ),
    "duplicate key": ("again_after:", "priority:", ["11:1: duplicate key “priority” (also on line 10)"]),
    "anchor": (
        "{event: login, within",
        "&x {event: login, within",
        ["3:7: anchors are not allowed (remove the &name)"],
    ),
    "alias": ("priority: 50", "priority: *x", ["10:11: aliases are not allowed (write the value out)"]),
    "tag": ("priority: 50", "priority: !!int 50", ["10:11: tags are not allowed (remove the !tag)"]),
    "too deep": ("[trial, standard]", "[" * 13 + "]" * 13, ["9:19: nested deeper than 12 (make it flatter)"]),
    "broken YAML": (
        "[trial, standard]",
        "[trial",
        ["10:9: not valid YAML: expected ',' or ']', but got ':' (check indentation, quotes and colons)"],
    ),
    "a second document": ("then:", "---\nthen:", ["15:1: one document a file (do not separate with ---)"]),
}

"""What should be said to whom, and why: the vocabulary and the decisions, free of any I/O.

A *customer* uses a product; what they do arrives as *events*, which fold into *signals*. *Facts* are
everything known of one customer at one moment. A *rule* says when, what and for which single goal; a
*follow-up* is one customer's passage through one rule. A *gate* is a reason not to write now. A
*decision* says for every rule: send, escalate, wait until, drop because, or not due, with its trace.
"""

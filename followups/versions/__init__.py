"""What distinguishes two versions of a rule, and how is one value of it changed?"""

"""Versions of rules on the command line: what changed, and who may say yes?"""

"""How does the program answer customers by itself, and when does it leave that to a person?"""

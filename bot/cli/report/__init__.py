"""How are the figures of what rules achieved shown in a terminal, as a page and as a file?"""

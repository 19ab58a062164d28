"""How is each kind of condition read in SQL?"""

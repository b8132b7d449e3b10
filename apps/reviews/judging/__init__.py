"""What the gates of reviews decide, as pure functions: facts and terms in, a tree of requirements out.

The gates collect the facts of this moment, the simulation those of the past; both ask the functions here.
"""

"""What the lower rooms and click complain of, each with its Chinese.

A TABLE holds pairs: a regular expression of the whole complaint, and what is said in Chinese.
"""

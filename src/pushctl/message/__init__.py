"""
The message: from neutral words to the bytes that each service takes.

``neutral`` reads it from options and files, ``lint`` judges it by the vendors' rules before
anything is sent, ``compile`` turns it into what is rendered for each recipient.
"""

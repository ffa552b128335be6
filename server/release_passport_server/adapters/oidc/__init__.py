"""Tokens of OpenID Connect providers: their keys, and what a token proves."""

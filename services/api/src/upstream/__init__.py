"""The slow upstream API: answers each call after the delay it asks for, never earlier."""

"""What a document is made of, and its renderings: terminal, Markdown and page."""

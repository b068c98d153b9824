"""The settings a server can run with: startproject, bare, article, article_bare."""

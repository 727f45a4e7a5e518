"""The documents: pages of Markdown, and what makes the reference from the code."""

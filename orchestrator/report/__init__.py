"""Summary documents as tables: terminal, Markdown and CSV. JSON is the document itself."""

"""What a document says, topic by topic."""
